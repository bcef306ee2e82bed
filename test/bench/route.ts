/** From the request's datagram to the route at the neighbor of a real BGP daemon, the provider in between. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { connectDtls } from '#adapters/dtls/client.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { type GobgpPair, makeGobgpPair } from '#test/support/gobgp-pair.ts';
import { type Benchmark, percentile, rounded } from './figure.ts';
import { putMitigation } from './packets.ts';
import { startProvider } from './servers.ts';

const SAMPLES = 200;
/** Requests are this far apart: a latency is measured, not a queue. */
const GAP_MS = 30;
const LATEST_MS = 5000;

export const route: Benchmark = {
  name: 'route',
  about: 'request datagram to route visible at a BGP neighbor (two gobgpd)',
  async run(progress) {
    const pair = await makeGobgpPair();
    await Promise.all([pair.startLocal(), pair.startNeighbor()]);
    const provider = await startProvider(
      [
        'mitigators:',
        `  edge: { driver: gobgp, address: "${pair.address}", nextHop: 192.0.2.254 }`,
        'domains:',
        '  demo: { mitigators: [ { name: edge, profile: blackhole } ] }',
        '',
      ].join('\n'),
    );
    const watch = watchRoutes(pair);
    try {
      const session = await connectDtls({ host: '127.0.0.1', port: provider.port, ...provider.client });
      await firstRoute(session, watch);
      const times: number[] = [];
      for (let sample = 1; sample <= SAMPLES; sample++) {
        times.push(await timeToRoute(session, watch, sample));
        if (sample % 50 === 0) progress(`${sample} of ${SAMPLES}`);
        await pause(GAP_MS);
      }
      session.close();
      times.sort((left, right) => left - right);
      const p99 = percentile(times, 0.99);
      return [
        { name: 'request to route at the neighbor, p50', value: rounded(percentile(times, 0.5)), unit: 'ms' },
        {
          name: 'request to route at the neighbor, p99',
          value: rounded(p99),
          unit: 'ms',
          target: { says: 'below 250 ms', met: p99 < 250 },
        },
      ];
    } finally {
      watch.stop();
      await provider.stop();
      await pair.close();
    }
  },
};

interface RouteWatch {
  /** Resolves with the time at which the neighbor announced that it has the prefix. */
  seen(prefix: string): Promise<number>;
  stop(): void;
}

/** The neighbor's own monitor tells each change of its table as it happens. */
function watchRoutes({ neighborApiPort }: GobgpPair): RouteWatch {
  const monitor = spawn('gobgp', ['-p', `${neighborApiPort}`, 'monitor', 'global', 'rib', '-a', 'ipv6'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const waiting = new Map<string, (at: number) => void>();
  createInterface({ input: monitor.stdout }).on('line', (line) => {
    for (const [prefix, resolve] of waiting) if (line.includes(` ${prefix} `)) resolve(performance.now());
  });
  return {
    seen: (prefix) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no route to ${prefix} within ${LATEST_MS} ms`)),
          LATEST_MS,
        );
        waiting.set(prefix, (at) => {
          clearTimeout(timer);
          waiting.delete(prefix);
          resolve(at);
        });
      }),
    stop: () => monitor.kill(),
  };
}

async function timeToRoute(session: SecureSession, watch: RouteWatch, number: number): Promise<number> {
  const prefix = `2001:db8::${number.toString(16)}/128`;
  const seen = watch.seen(prefix);
  const start = performance.now();
  session.send(putMitigation(number, prefix));
  return (await seen) - start;
}

/** The first route waits for the daemons to become neighbors. */
async function firstRoute(session: SecureSession, watch: RouteWatch): Promise<void> {
  await timeToRoute(session, watch, 0xffff);
}
