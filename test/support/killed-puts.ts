/** Asks a provider for mitigations, kills it with SIGKILL in the middle, starts it again, and looks for what it had acknowledged. */
import { join } from 'node:path';
import { readCredentials } from '#agent-edge/client/credentials.ts';
import { connect, type DotsClient } from '#agent-edge/client/dots-client.ts';
import { parseCuid, parseMid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
} from './provider-process.ts';

export interface KilledPuts {
  readonly asked: number;
  readonly acknowledged: number;
  /** Acknowledged, and not there after the restart. */
  readonly lost: readonly number[];
}

const IN_FLIGHT = 32;

/** Sends up to `asked` requests and kills the provider once `killAfter` of them are acknowledged. */
export async function putAndKill(asked: number, killAfter: number): Promise<KilledPuts> {
  const home = makeTemporaryHome();
  try {
    const first = await startProviderProcess(home);
    const acknowledged = await putUntilKilled(first, asked, killAfter);
    const second = await startProviderProcess(home);
    try {
      const stored = await storedMids(second);
      return {
        asked,
        acknowledged: acknowledged.length,
        lost: acknowledged.filter((mid) => !stored.has(mid)),
      };
    } finally {
      await second.stop();
    }
  } finally {
    removeHome(home);
  }
}

async function putUntilKilled(
  provider: ProviderProcess,
  asked: number,
  killAfter: number,
): Promise<number[]> {
  const client = await demoClient(provider);
  const acknowledged: number[] = [];
  let next = 0;
  let killed: Promise<unknown> | undefined;
  const kill = async (): Promise<void> => {
    await provider.stop('SIGKILL');
    client.close();
  };
  const loop = async (): Promise<void> => {
    while (next < asked && killed === undefined) {
      const number = next++;
      const mid = parseMid(`${number}`);
      if (mid === undefined) throw new Error(`no mid: ${number}`);
      const targetPrefixes = [`2001:db8::${number.toString(16)}/128`];
      const answer = await client.requestMitigation(mid, {
        scope: { ...EMPTY_SCOPE, targetPrefixes },
        lifetimeSeconds: 3600,
        triggerMitigation: true,
      });
      if (answer.type === 'done') acknowledged.push(number);
      if (acknowledged.length >= killAfter) killed ??= kill();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  await (killed ?? kill());
  return acknowledged;
}

async function storedMids(provider: ProviderProcess): Promise<Set<number>> {
  const client = await demoClient(provider);
  const answer = await client.status();
  client.close();
  if (answer.type !== 'done') throw new Error(`no list: ${JSON.stringify(answer)}`);
  return new Set(answer.value.map((entry) => entry.mid));
}

function demoClient({ home, signalPort }: ProviderProcess): Promise<DotsClient> {
  const cuid = parseCuid('killed-puts-0000000000');
  if (cuid === undefined) throw new Error('no cuid');
  const pki = join(home, 'pki');
  return connect({
    host: '127.0.0.1',
    udpPort: signalPort,
    tcpPort: signalPort,
    transport: 'udp',
    timeoutMs: 10_000,
    answerWithinMs: 10_000,
    cuid,
    credentials: readCredentials({
      ca: join(pki, 'ca.pem'),
      cert: join(pki, 'clients', 'demo.pem'),
      key: join(pki, 'clients', 'demo.key'),
    }),
  });
}
