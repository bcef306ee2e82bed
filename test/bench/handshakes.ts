/** Full handshakes with certificates on both sides, and small requests: what each costs the server's processor. */
import { connectDtls } from '#adapters/dtls/client.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { type Benchmark, type Figure, rounded } from './figure.ts';
import { heartbeat, libcoapGet, matchesAnswer } from './packets.ts';
import { cpuSeconds } from './process-usage.ts';
import { type MeasuredServer, startLibcoap, startProvider } from './servers.ts';

const HANDSHAKES = 600;
const AT_ONCE = 8;
const EXCHANGES = 30_000;
const IN_FLIGHT = 16;
const ROUNDS = 3;

export const handshakes: Benchmark = {
  name: 'dtls',
  about: 'handshakes and small requests per second of server CPU, against coap-server-openssl',
  async run(progress) {
    const ours = await startProvider();
    const theirs = await startLibcoap(ours, 46_100);
    try {
      const handshakeRates = { ours: [] as number[], theirs: [] as number[] };
      const exchangeRates = { ours: [] as number[], theirs: [] as number[] };
      for (let round = 1; round <= ROUNDS; round++) {
        progress(`round ${round} of ${ROUNDS}: handshakes`);
        handshakeRates.ours.push(await handshakesPerCpuSecond(ours));
        handshakeRates.theirs.push(await handshakesPerCpuSecond(theirs));
        progress(`round ${round} of ${ROUNDS}: requests`);
        exchangeRates.ours.push(await exchangesPerCpuSecond(ours, heartbeat));
        exchangeRates.theirs.push(await exchangesPerCpuSecond(theirs, libcoapGet));
      }
      return [
        compare(
          'full handshakes, mutual P-256, per CPU second',
          handshakeRates,
          2.5,
          'at least 2.5 x coap-server-openssl',
        ),
        compare('heartbeats answered per CPU second', exchangeRates, 0.5, 'at most 2 x the CPU of its GET'),
      ];
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  },
};

function compare(
  name: string,
  rates: { ours: number[]; theirs: number[] },
  atLeast: number,
  says: string,
): Figure {
  const value = median(rates.ours);
  const peer = median(rates.theirs);
  const ratio = value / peer;
  return {
    name,
    value: rounded(value),
    unit: '1/s',
    peer: { name: 'coap-server-openssl', value: rounded(peer) },
    ratio: rounded(ratio),
    target: { says, met: ratio >= atLeast },
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1] ?? NaN;

const connect = (server: MeasuredServer): Promise<SecureSession> =>
  connectDtls({ host: '127.0.0.1', port: server.port, ...server.client });

async function handshakesPerCpuSecond(server: MeasuredServer): Promise<number> {
  let left = HANDSHAKES;
  const before = cpuSeconds(server.pid);
  const loop = async (): Promise<void> => {
    while (left-- > 0) (await connect(server)).close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
  return HANDSHAKES / (cpuSeconds(server.pid) - before);
}

/** One session, a window of Non-confirmable requests, each answered before the next goes out in its place. */
async function exchangesPerCpuSecond(
  server: MeasuredServer,
  packet: (sequence: number) => Uint8Array,
): Promise<number> {
  const session = await connect(server);
  const before = cpuSeconds(server.pid);
  let sent = 0;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    const stalled = setInterval(() => {
      if (answered === seen) reject(new Error(`${answered} of ${EXCHANGES} answered, then silence`));
      seen = answered;
    }, 5000);
    let seen = -1;
    session.onClose = (reason) => reject(new Error(`closed: ${reason}`));
    session.onMessage = (bytes) => {
      if (!matchesAnswer(bytes)) return;
      answered++;
      if (sent < EXCHANGES) session.send(packet(sent++));
      else if (answered === sent) {
        clearInterval(stalled);
        resolve();
      }
    };
    while (sent < IN_FLIGHT) session.send(packet(sent++));
  });
  const used = cpuSeconds(server.pid) - before;
  session.onClose = undefined;
  session.close();
  return EXCHANGES / used;
}
