/** What an idle session costs the provider, everything counted: resident memory before and after 10,000 handshakes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Benchmark, rounded } from './figure.ts';
import { residentBytes } from './process-usage.ts';
import { type MeasuredServer, startProvider } from './servers.ts';

/** The provider's own bound of sessions. */
const SESSIONS = 10_000;
/** A client's callbacks into JavaScript are bounded per process: two processes hold half each. */
const HOLDERS = 2;
/** For collections and buffers to be given back. */
const SETTLE_MS = 5000;

export const memory: Benchmark = {
  name: 'memory',
  about: 'resident memory per idle session at 10,000 sessions',
  async run(progress) {
    const provider = await startProvider();
    const holders: ChildProcess[] = [];
    try {
      await pause(SETTLE_MS);
      const before = residentBytes(provider.pid);
      progress(`opening ${SESSIONS} sessions`);
      for (let index = 0; index < HOLDERS; index++) holders.push(startHolder(provider, SESSIONS / HOLDERS));
      await Promise.all(holders.map(holding));
      await pause(SETTLE_MS);
      const perSession = (residentBytes(provider.pid) - before) / SESSIONS;
      return [
        {
          name: `memory per idle session, ${SESSIONS} sessions`,
          value: rounded(perSession / 1000),
          unit: 'kB',
          target: { says: 'at most 100 kB', met: perSession <= 100_000 },
        },
      ];
    } finally {
      for (const holder of holders) holder.kill();
      await provider.stop();
    }
  },
};

function startHolder({ home, port }: MeasuredServer, count: number): ChildProcess {
  const script = join(import.meta.dirname, 'session-holder.ts');
  return spawn(process.execPath, [script, home, `${port}`, `${count}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function holding(holder: ChildProcess): Promise<void> {
  const ended = once(holder, 'exit').then(([code]) => {
    throw new Error(`the holder of sessions ended with ${String(code)}`);
  });
  if (holder.stdout === null) throw new Error('a holder without output');
  await Promise.race([once(holder.stdout, 'data'), ended]);
}
