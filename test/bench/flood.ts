/** Spoofed ClientHellos: what one costs, and whether anybody else notices (RFC 6347 §4.2.1, DESIGN: no state before the cookie). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectDtls } from '#adapters/dtls/client.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { type Benchmark, type Figure, percentile, rounded } from './figure.ts';
import { hellosPerCpuSecond, sampleHello } from './hello-load.ts';
import { heartbeat, matchesAnswer } from './packets.ts';
import { cpuSeconds } from './process-usage.ts';
import { type MeasuredServer, startLibcoap, startProvider } from './servers.ts';

const FLOOD = fileURLToPath(new URL('../support/hello-flood.ts', import.meta.url));
/** Hellos per socket and burst of 5 ms: some 30,000 a second, and as many as one processor can send. */
const STRONG = 10;
const SATURATING = 30;
const HANDSHAKES = 30;
const BETWEEN_MS = 100;
const HEARTBEAT_EVERY_MS = 50;
const LAST_ANSWER_MS = 500;
const WITHIN_MS = 1000;

export const flood: Benchmark = {
  name: 'flood',
  about: 'hellos without a cookie: cost against coap-server-openssl, newcomers and live sessions meanwhile',
  async run(progress) {
    const ours = await startProvider();
    const theirs = await startLibcoap(ours, 46_200);
    try {
      const hello = await sampleHello(ours.port);
      progress('hellos answered');
      const rate = await hellosPerCpuSecond(ours, hello);
      const peerRate = await hellosPerCpuSecond(theirs, hello);
      progress(`${HANDSHAKES} handshakes under a flood`);
      return [
        {
          name: 'hellos without cookie answered per CPU second',
          value: rounded(rate),
          unit: '1/s',
          peer: { name: 'coap-server-openssl', value: rounded(peerRate) },
          ratio: rounded(rate / peerRate),
        },
        ...(await underFlood(ours, hello, STRONG)),
        ...(await underFlood(ours, hello, SATURATING)),
      ];
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  },
};

async function underFlood(
  provider: MeasuredServer,
  hello: Uint8Array,
  perBurst: number,
): Promise<readonly Figure[]> {
  const live = await connect(provider);
  const running = startFlood(provider.port, hello, perBurst);
  await pause(1000);
  const heartbeats = exchangeHeartbeats(live);
  const cpuBefore = cpuSeconds(provider.pid);
  const startedAt = performance.now();
  const times: number[] = [];
  let mostPending = 0;
  for (let count = 0; count < HANDSHAKES; count++) {
    await pause(BETWEEN_MS);
    const began = performance.now();
    const session = await connect(provider);
    times.push(performance.now() - began);
    session.close();
    mostPending = Math.max(mostPending, await pendingHandshakes(provider));
  }
  const busy = (cpuSeconds(provider.pid) - cpuBefore) / ((performance.now() - startedAt) / 1000);
  const beats = await heartbeats.stop();
  const { perSecond, answered } = await endFlood(running);
  live.close();
  times.sort((left, right) => left - right);
  const slowest = percentile(times, 0.99);
  const under = `under ${Math.round(perSecond / 1000)}k hellos/s`;
  return [
    { name: `hellos answered ${under}`, value: rounded(answered * 100), unit: '%' },
    { name: `provider's share of a processor ${under}`, value: rounded(busy * 100), unit: '%' },
    {
      name: `handshakes pending ${under}, at most`,
      value: mostPending,
      unit: '',
      target: { says: 'no state before the cookie', met: mostPending === 0 },
    },
    {
      name: `full handshake ${under}, p50 of ${HANDSHAKES}`,
      value: rounded(percentile(times, 0.5)),
      unit: 'ms',
    },
    {
      name: `full handshake ${under}, p99 of ${HANDSHAKES}`,
      value: rounded(slowest),
      unit: 'ms',
      target: { says: 'legitimate clients in less than 1 s', met: slowest < WITHIN_MS },
    },
    { name: `heartbeats of a live session answered ${under}`, value: rounded(beats * 100), unit: '%' },
  ];
}

const connect = (server: MeasuredServer): Promise<SecureSession> =>
  connectDtls({ host: '127.0.0.1', port: server.port, ...server.client });

/** The share that is answered; none is repeated. */
function exchangeHeartbeats(session: SecureSession): { stop(): Promise<number> } {
  let sent = 0;
  let answered = 0;
  session.onMessage = (bytes) => {
    if (matchesAnswer(bytes)) answered++;
  };
  const timer = setInterval(() => session.send(heartbeat(sent++)), HEARTBEAT_EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await pause(LAST_ANSWER_MS);
      return answered / sent;
    },
  };
}

interface Flood {
  readonly child: ChildProcess;
  readonly startedAt: number;
}

function startFlood(port: number, hello: Uint8Array, perBurst: number): Flood {
  const child = spawn(
    process.execPath,
    [FLOOD, `${port}`, Buffer.from(hello).toString('hex'), `${perBurst}`],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  return { child, startedAt: performance.now() };
}

async function endFlood({ child, startedAt }: Flood): Promise<{ perSecond: number; answered: number }> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stdin?.end();
  await once(child, 'close');
  const match = /sent (\d+), answered (\d+)/.exec(text);
  if (match === null) throw new Error(`the flood has not told what it sent: ${text}`);
  const sent = Number(match[1]);
  return { perSecond: (sent * 1000) / (performance.now() - startedAt), answered: Number(match[2]) / sent };
}

async function pendingHandshakes({ home }: MeasuredServer): Promise<number> {
  const { admin } = JSON.parse(readFileSync(join(home, 'ready.json'), 'utf8')) as { admin: string };
  const text = await (await fetch(`${admin}/metrics`)).text();
  const match = /^tocsin_handshakes_pending\{transport="udp"\} (\d+)$/m.exec(text);
  if (match === null) throw new Error('no tocsin_handshakes_pending in /metrics');
  return Number(match[1]);
}
