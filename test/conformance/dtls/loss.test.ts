/** Handshakes on a path under attack (RFC 6347 §4.2.4): flights are repeated every 1, 2, 3, 3 … seconds. */
import { connectDtls } from '#adapters/dtls/client.ts';
import { BareClient, echo, pskKey, startEcho, stopEchoes } from '#test/support/dtls.ts';
import { makePair } from '#test/support/dtls-pair.ts';
import { startLossyRelay } from '#test/support/lossy-relay.ts';
import { makeLongChainClient, makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

/** Repeats until an answer comes: one datagram may be lost. */
async function persistentEcho(client: Parameters<typeof echo>[0]): Promise<string> {
  for (let attempt = 1; attempt < 40; attempt++) {
    const answer = await echo(client, 'hello', 250).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  throw new Error('No echo in forty attempts');
}

test('with 40 % of all datagrams lost and some reordered, ten of ten handshakes with a long chain complete', async () => {
  const { port, sessions, listener } = await startEcho({ ...server, handshakeTimeoutMs: 90_000 });
  const relay = await startLossyRelay(port, { loss: 0.4, reordered: 0.1, seed: 9132 });
  const { certificate, key } = await makeLongChainClient(pki.authority, 4);
  const options = {
    host: '127.0.0.1',
    port: relay.port,
    ca: pki.ca,
    cert: certificate,
    key,
    timeoutMs: 90_000,
  };
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const client = await connectDtls(options);
      const answer = await persistentEcho(client);
      client.close();
      return answer;
    }),
  );
  expect(answers).toEqual(Array<string>(10).fill('hello'));
  expect(sessions.length).toBeGreaterThanOrEqual(10);
  expect(relay.counts.lost).toBeGreaterThan(20);
  expect(listener.stats().retransmissions).toBeGreaterThan(0);
  relay.close();
}, 100_000);

test('a flight without answer is repeated after 1, 2 and 3 seconds at most', () => {
  const pair = makePair({
    server,
    client: { serverName: 'dots.test', psk: { identity: 'dots-client-1', key: Buffer.alloc(16) } },
  });
  // The server drops the Finished of a wrong key in silence, so both wait.
  expect([pair.client.state, pair.server.state]).toEqual(['handshaking', 'handshaking']);
  const waits: number[] = [];
  const started = performance.now();
  let waited = 0;
  for (let round = 0; round < 3; round++) {
    const wait = pair.client.retransmitAfterMs ?? 0;
    waits.push(Math.round((wait + performance.now() - started - waited) / 1000));
    waited += wait;
    while (pair.client.retransmitAfterMs !== 0)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    pair.toServer.length = 0;
    pair.client.retransmit();
    expect(pair.toServer.length).toBeGreaterThan(0);
  }
  expect(waits).toEqual([1, 2, 3]);
  pair.dispose();
}, 10_000);

test('a server whose last flight was lost repeats it when the client repeats its own', async () => {
  const { port, sessions } = await startEcho(server);
  const client = await BareClient.open(port);
  const receive = client.connection.receive.bind(client.connection);
  let lost = 0;
  client.connection.receive = (datagram) => {
    // The first datagram with a ChangeCipherSpec is the server's last flight.
    const last = datagram[0] === 20 || Buffer.from(datagram).includes(Buffer.from([20, 0xfe, 0xfd]));
    if (last && lost++ === 0) return;
    receive(datagram);
  };
  client.begin();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sessions).toHaveLength(1);
  expect(client.connection.state).toBe('handshaking');
  await new Promise((resolve) => setTimeout(resolve, (client.connection.retransmitAfterMs ?? 0) + 20));
  client.connection.retransmit();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(client.connection.state).toBe('established');
  expect(await client.echo('at last')).toBe(true);
  expect(sessions).toHaveLength(1);
  await client.vanish();
});
