/** RFC 8323 as DOTS uses it over TLS (RFC 9132 §4.3, §4.5, §4.7): who answers, what a connection takes with it, ALPN. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { createServer } from 'node:tls';
import { connectTls } from '#adapters/tls/client.ts';
import { getConfig } from '#core/client/requests.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption } from '#core/coap/options.ts';
import { SIGNAL } from '#core/coap/signaling.ts';
import { encodeTcp } from '#core/coap/tcp-message.ts';
import { ClientWorld } from '#test/support/client-world.ts';
import { bytesOf, request, response } from '#test/support/coap-peer.ts';
import { pskKey } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';
import { CUID, codeOf, mitigation, scopeBody } from '#test/support/signal-asks.ts';
import { ALICE, SignalWorld } from '#test/support/signal-world.ts';
import { startTlsEcho, stopTlsEchoes } from '#test/support/tls.ts';

const pki = await makeTestPki();
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };
const host = '127.0.0.1';

afterEach(stopTlsEchoes);

/** The code of the first message in bytes without extended length. */
const codeIn = (bytes: Uint8Array | undefined): number | undefined => bytes?.[1];

test('P-248 a client that serves nothing but heartbeats answers any other request with an error', async () => {
  const world = new ClientWorld({ transport: 'tcp' });
  for (const path of ['unknown', '.well-known'])
    world.server.send(request(METHOD.get, { options: [makeTextOption(OPTION.uriPath, path)] }));
  world.server.send(request(METHOD.post));
  await world.run(100);
  expect(world.answers.map(({ code }) => code)).toEqual([
    RESPONSE.notFound,
    RESPONSE.notFound,
    RESPONSE.notFound,
  ]);
  expect(world.closed).toBeUndefined();
});

test('P-250 a connection takes its CSM and its observations with it', async () => {
  const world = await SignalWorld.open();
  const first = await world.connect(ALICE, { transport: 'tcp' });
  await first.ask('put', mitigation(1), { payload: scopeBody() });
  const exchange = first.send('get', mitigation(1), { observe: 0 });
  await world.settle();
  expect(world.server.stats().observers).toBe(1);
  first.leave();
  await world.settle();
  expect(world.server.stats().observers).toBe(0);

  const again = await world.connect(ALICE, { transport: 'tcp' });
  expect(codeIn(again.pair.fromServer[0])).toBe(SIGNAL.csm);
  const sent = again.pair.fromServer.length;
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(20);
  expect(again.pair.fromServer).toHaveLength(sent);
  expect(again.told(exchange)).toEqual([]);
  const renewed = again.send('get', mitigation(1), { observe: 0 });
  await world.settle();
  await world.report(CUID, 1, { state: 'stopped' });
  await world.advance(4);
  expect(again.told(renewed).map((told) => codeOf(told.response))).toEqual(['2.05', '2.05']);
  await world.close();
});

test('P-275 answers to heartbeats that take 25 of 30 seconds are no misses', async () => {
  const world = new ClientWorld({ transport: 'tcp' });
  world.script = () => response(RESPONSE.changed);
  await world.run(1_000);
  const { server } = world.pair;
  const held: { due: number; bytes: Uint8Array }[] = [];
  const send = server.send.bind(server);
  server.send = (bytes) => held.push({ due: world.nowMs + 25_000, bytes }) > 0;
  for (let second = 0; second < 20 * 30; second++) {
    await world.run(1_000);
    while ((held[0]?.due ?? Infinity) <= world.nowMs) send(held.shift()?.bytes ?? bytesOf());
  }
  expect(world.arrived.length).toBeGreaterThanOrEqual(19);
  expect(world.silences).toEqual([]);
  expect(world.closed).toBeUndefined();
});

test('P-268 the client offers ALPN coap, and that alone', async () => {
  const offered: (readonly string[])[] = [];
  const server = createServer({
    cert: pki.server.certificate,
    key: pki.server.key,
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols);
      return 'coap';
    },
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const session = await connectTls({ host, port, ...withCertificate });
  expect(offered).toEqual([['coap']]);
  session.close();
  server.close();
});

test('P-272 CoAP without TLS is dropped: no session, and not one byte of an answer', async () => {
  const { port, sessions, traces } = await startTlsEcho({
    ca: pki.ca,
    cert: pki.server.certificate,
    key: pki.server.key,
    pskKey,
  });
  const socket = connectTcp(port, host);
  const answered: Buffer[] = [];
  socket.on('data', (bytes) => answered.push(bytes));
  socket.on('error', () => undefined);
  const empty = { token: bytesOf(), options: [], payload: bytesOf() };
  socket.write(encodeTcp({ ...empty, code: SIGNAL.csm }));
  socket.write(encodeTcp({ ...empty, ...getConfig(), token: bytesOf(1) }));
  await once(socket, 'close');
  // At most a TLS alert: content type 21.
  expect(answered.every(([type]) => type === 21)).toBe(true);
  expect(sessions).toEqual([]);
  expect(traces.map(({ type }) => type)).toContain('handshake-failed');
});
