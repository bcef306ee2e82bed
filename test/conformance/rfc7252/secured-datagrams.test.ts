/** RFC 7252 §4 and §9 over real DTLS: sizes, what the network reports, and what a new association begins without. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connectDtls } from '#adapters/dtls/client.ts';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import type { EndpointHandlers } from '#adapters/endpoint-driver/endpoint-handle.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { EndpointOptions } from '#core/coap/endpoint-io.ts';
import type { Response } from '#core/coap/message.ts';
import { decodeUdp, encodeEmptyUdp } from '#core/coap/udp-message.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { body, CON, endpointOptions, RST, request, response } from '#test/support/coap-peer.ts';
import { BareClient, echo, PSK, pskKey, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { startLossyRelay } from '#test/support/lossy-relay.ts';
import { ManualDriver } from '#test/support/manual-driver.ts';
import { makeTestPki } from '#test/support/pki.ts';

const HOST = '127.0.0.1';
/** Of 1280 bytes IPv6 and UDP take 48. */
const LARGEST_DATAGRAM = 1232;

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

const optionsFor = (session: SecureSession, random = 0.5): EndpointOptions =>
  endpointOptions({ maxPayload: session.maxPayload, random: () => random });

const silent: EndpointHandlers = {
  request: () => undefined,
  response: () => undefined,
  failed: () => undefined,
  observerGone: () => undefined,
  closed: () => undefined,
  trace: () => undefined,
};

test.each([true, false])(
  'P-037 P-038 large bodies both ways never make a packet above 1280 bytes: confirmable %p',
  async (confirmable) => {
    const driver = createDriver({ clock: { monotonic: () => performance.now() } });
    const { port } = await startEcho({
      ...server,
      onSession: (session) => {
        const handle = driver.attach(session, optionsFor(session), {
          ...silent,
          request: (exchange, { payload }) =>
            handle.respond(exchange, response(RESPONSE.changed, { payload: payload.toReversed() })),
        });
      },
    });
    const relay = await startLossyRelay(port, { loss: 0, reordered: 0, seed: 1 });
    const session = await connectDtls({ host: HOST, port: relay.port, psk: PSK });
    const answers: Response[] = [];
    const client = driver.attach(session, optionsFor(session, 0.25), {
      ...silent,
      response: (_exchange, answer) => answers.push(answer),
    });
    // A little more than one packet takes, and much more.
    for (const length of [1_200, 10_000]) {
      const payload = body(length);
      client.send(request(METHOD.put, { payload, confirmable }));
      await until(() => answers.length === 1);
      expect(answers.pop()?.payload).toEqual(payload.toReversed());
    }
    expect(relay.counts.longest).toBeLessThanOrEqual(LARGEST_DATAGRAM);
    expect(relay.counts.longest).toBeGreaterThan(1024);
    expect(relay.counts.passed).toBeGreaterThan(20);
    client.close();
    relay.close();
  },
);

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, HOST);
  await once(socket, 'listening');
  return socket;
}

/** A UDP relay for one client, which can be closed and opened again on the same two ports. */
class Relay {
  readonly #server: number;
  #sockets: readonly Socket[] = [];
  #client = 0;

  constructor(server: number) {
    this.#server = server;
  }

  /** The ports towards client and server; 0: any. */
  async open([towardsClient = 0, towardsServer = 0]: readonly number[] = []): Promise<number[]> {
    const [front, back] = [await bound(towardsClient), await bound(towardsServer)];
    this.#sockets = [front, back];
    front.on('message', (datagram, { port }) => {
      this.#client = port;
      back.send(datagram, this.#server, HOST);
    });
    back.on('message', (datagram) => front.send(datagram, this.#client, HOST));
    return this.#sockets.map((socket) => socket.address().port);
  }

  async close(): Promise<void> {
    const closed = this.#sockets.map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.close();
    await Promise.all(closed);
  }
}

test('P-025 port unreachable, told to both ends, ends no session', async () => {
  const { port, sessions, closed } = await startEcho(server);
  const relay = new Relay(port);
  const ports = await relay.open();
  const session = await connectDtls({ host: HOST, port: ports[0] ?? 0, psk: PSK });
  const endings: string[] = [];
  session.onClose = (reason) => endings.push(reason);
  expect(await echo(session, 'before')).toBe('before');
  await relay.close();
  for (let count = 0; count < 20; count++) {
    session.send(Buffer.from('into nowhere'));
    sessions[0]?.send(Buffer.from('into nowhere'));
    await new Promise(setImmediate);
  }
  await relay.open(ports);
  expect(await echo(session, 'after')).toBe('after');
  expect([endings, closed]).toEqual([[], []]);
  session.close();
  await relay.close();
});

test('P-099 what waits for its acknowledgement is not sent into the association that follows', async () => {
  const clock = { now: 0, monotonic: (): number => clock.now };
  const driver = new ManualDriver(clock);
  const failed: string[] = [];
  let sessions = 0;
  const { port } = await startEcho({
    ...server,
    onSession: (session) => {
      const handlers = { ...silent, failed: (_: number, reason: string) => failed.push(reason) };
      const handle = driver.attach(session, optionsFor(session), handlers);
      if (++sessions === 1) handle.send(request(METHOD.get));
    },
  });
  const before = await BareClient.open(port);
  await before.handshake();
  await until(() => before.messages.length === 1);
  clock.now += 5_000;
  driver.tick();
  await until(() => before.messages.length === 2);
  expect(before.messages[1]).toBe(before.messages[0]);
  const localPort = before.port;
  await before.vanish();

  const after = await BareClient.open(port, {}, localPort);
  await after.handshake();
  await until(() => failed.length === 1);
  expect(failed).toEqual(['closed']);
  for (let second = 0; second < 300; second++) {
    clock.now += 1_000;
    driver.tick();
  }
  after.connection.send(encodeEmptyUdp(CON, 77));
  await until(() => after.messages.length > 0);
  const heard = after.messages.map((message) => decodeUdp(Buffer.from(message, 'latin1')));
  expect(heard).toMatchObject([{ ok: true, value: { type: RST, messageId: 77 } }]);
  await after.vanish();
});
