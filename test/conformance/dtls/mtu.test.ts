/** RFC 9132 §7.3: every record in one datagram, no datagram above the MTU, and a payload limit that is told. */
import { connectDtls } from '#adapters/dtls/client.ts';
import { BareClient, echo, PSK, pskKey, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { startLossyRelay } from '#test/support/lossy-relay.ts';
import { makeLongChainClient, makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

test.each([1232, 600, 300])(
  'A-203 flights larger than an MTU of %i are cut into records that fit',
  async (mtu) => {
    const { port } = await startEcho({ ...server, mtu });
    const relay = await startLossyRelay(port, { loss: 0, reordered: 0, seed: 1 });
    const { certificate, key } = await makeLongChainClient(pki.authority, 4);
    const client = await connectDtls({
      host: '127.0.0.1',
      port: relay.port,
      ca: pki.ca,
      cert: certificate,
      key,
      mtu,
    });
    expect(await echo(client, 'through')).toBe('through');
    client.close();
    expect(relay.counts.longest).toBeLessThanOrEqual(mtu);
    expect(certificate.length).toBeGreaterThan(2 * mtu);
    relay.close();
  },
);

test('A-203 S-398 S-399 S-401 a message at the limit travels in one datagram of at most the MTU, one byte more is refused', async () => {
  const { port, sessions } = await startEcho(server);
  const client = await BareClient.open(port);
  await client.handshake();
  const limit = client.connection.maxPayload;
  expect(sessions[0]?.maxPayload).toBe(limit);
  const before = client.sent.length;
  expect(client.connection.send(Buffer.alloc(limit + 1, 'x'))).toBe(false);
  expect(await client.echo('x'.repeat(limit))).toBe(true);
  const sent = client.sent.slice(before);
  expect(sent).toHaveLength(1);
  expect(sent[0]?.length).toBeLessThanOrEqual(1232);
  expect(sent[0]?.length).toBeGreaterThan(limit + 13);
  await client.vanish();
});

test('the limit is that of the suite: 1195 bytes with AES-GCM at the default MTU', async () => {
  const { port } = await startEcho(server);
  const credentials = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };
  const client = await connectDtls({ host: '127.0.0.1', port, ...credentials });
  expect(client.maxPayload).toBe(1195);
  client.close();
});

test('several records in one datagram are several messages', async () => {
  const taken: string[] = [];
  const { port } = await startEcho({
    ...server,
    onSession: (session) => {
      session.onMessage = (bytes) => taken.push(Buffer.from(bytes).toString());
    },
  });
  const client = await BareClient.open(port, { psk: PSK });
  await client.handshake();
  const held: Buffer[] = [];
  client.send = (datagram) => held.push(Buffer.from(datagram));
  for (const text of ['one', 'two', 'three']) client.connection.send(Buffer.from(text));
  delete (client as { send?: unknown }).send;
  client.send(Buffer.concat(held));
  await until(() => taken.length === 3);
  expect(taken).toEqual(['one', 'two', 'three']);
  await client.vanish();
});
