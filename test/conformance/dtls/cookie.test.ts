/** Nothing is kept for a stranger before it has shown the cookie (RFC 6347 §4.2.1). */
import { createSocket } from 'node:dgram';
import { connectDtls } from '#adapters/dtls/client.ts';
import { BareClient, echo, PSK, pskKey, settle, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { makeLongChainClient, makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

/** The ClientHellos a client would send: without cookie, then with the one it was given. */
async function captureHellos(port: number): Promise<{ client: BareClient; first: Buffer; second: Buffer }> {
  const client = await BareClient.open(port);
  await client.handshake();
  const [first, second] = client.sent;
  if (first === undefined || second === undefined) throw new Error('No hellos were sent');
  return { client, first, second };
}

test('P-100 a hello without cookie is answered by a smaller HelloVerifyRequest that echoes its sequence, and nothing is kept', async () => {
  const { port, listener } = await startEcho(server);
  const { client, first } = await captureHellos(port);
  const [request] = client.received;
  if (request === undefined) throw new Error('No HelloVerifyRequest');
  expect(request[13]).toBe(3);
  expect(request.subarray(5, 11)).toEqual(first.subarray(5, 11));
  expect(request.readUInt16BE(17)).toBe(0);
  expect(request.length).toBeLessThan(first.length);
  await client.vanish();

  const strangers = createSocket('udp4');
  const before = listener.stats();
  for (let count = 0; count < 50; count++) strangers.send(first, port, '127.0.0.1');
  await until(() => listener.stats().helloVerifyRequests === before.helloVerifyRequests + 50);
  expect(listener.stats()).toMatchObject({
    pending: 0,
    sessions: before.sessions,
    handshakes: before.handshakes,
  });
  strangers.close();
});

test('a cookie is good only at the address, and for the hello, it was given to', async () => {
  const { port, listener } = await startEcho(server);
  const { client, second } = await captureHellos(port);
  const thief = await BareClient.open(port);
  const { handshakes, helloVerifyRequests } = listener.stats();
  thief.send(second);
  const other = Buffer.from(second);
  other[30] = (other[30] ?? 0) ^ 1;
  client.send(other);
  await until(() => listener.stats().helloVerifyRequests === helloVerifyRequests + 2);
  expect(listener.stats()).toMatchObject({ handshakes, pending: 0 });
  await client.vanish();
  await thief.vanish();
});

test('a hello in fragments opens a handshake by its first one; a continuation out of nowhere opens none', async () => {
  const { port, sessions, listener } = await startEcho(server);
  // A ticket with a certificate makes a hello of more than one small datagram.
  const { certificate, key } = await makeLongChainClient(pki.authority, 1);
  const options = { host: '127.0.0.1', port, ca: pki.ca, cert: certificate, key, mtu: 400 };
  const full = await connectDtls(options);
  const session = full.ticket();
  full.close();
  const client = await connectDtls({ ...options, ...(session === undefined ? {} : { session }) });
  expect(await echo(client, 'fragments')).toBe('fragments');
  expect(client.resumed).toBe(true);
  expect(sessions).toHaveLength(2);
  client.close();

  const { handshakes } = listener.stats();
  const stranger = await BareClient.open(port, { mtu: 300, psk: PSK });
  await stranger.handshake();
  const continuation = Buffer.from(stranger.sent[0] ?? '');
  continuation.writeUIntBE(10, 19, 3);
  const fragmentLength = continuation.readUIntBE(22, 3);
  continuation.writeUIntBE(fragmentLength + 10, 14, 3);
  const thief = createSocket('udp4');
  thief.send(continuation, port, '127.0.0.1');
  await settle();
  expect(listener.stats()).toMatchObject({ handshakes: handshakes + 1, pending: 0 });
  thief.close();
  await stranger.vanish();
});
