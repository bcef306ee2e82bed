/** What a handshake tells the client of the round trip: a request that is repeated by it must not wait for the loss. */
import { connectDtls } from '#adapters/dtls/client.ts';
import { pskKey, startEcho, stopEchoes } from '#test/support/dtls.ts';
import { startLossyRelay } from '#test/support/lossy-relay.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const client = { host: '127.0.0.1', ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };

afterEach(stopEchoes);

test('on a calm path it is an upper bound', async () => {
  const { port } = await startEcho(server);
  const session = await connectDtls({ ...client, port });
  expect(session.roundTripAtMostMs).toBeGreaterThan(0);
  expect(session.roundTripAtMostMs).toBeLessThan(1_000);
  session.close();
});

test('when a flight was repeated it says nothing', async () => {
  const { port } = await startEcho(server);
  // The first number of a small seed is small: the first hello is lost.
  const relay = await startLossyRelay(port, { loss: 0.01, reordered: 0, seed: 5 });
  try {
    const session = await connectDtls({ ...client, port: relay.port });
    expect(relay.counts.lost).toBeGreaterThan(0);
    expect(session.roundTripAtMostMs).toBeUndefined();
    session.close();
  } finally {
    relay.close();
  }
}, 30_000);
