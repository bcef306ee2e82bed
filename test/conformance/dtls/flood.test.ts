/** Under a flood of hellos without cookie: no state, live sessions served, newcomers let in. How fast is the benchmark's. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connectDtls } from '#adapters/dtls/client.ts';
import { BareClient, echo, pskKey, startEcho, stopEchoes } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';

const FLOOD = fileURLToPath(new URL('../../support/hello-flood.ts', import.meta.url));
const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };

afterEach(stopEchoes);

test('A-189 a hello flood leaves no state, stops no session, and keeps nobody out', async () => {
  const { port, listener } = await startEcho({ ...server, onTrace: () => undefined });
  const live = await connectDtls({ host: '127.0.0.1', port, ...withCertificate });
  const sample = await BareClient.open(port);
  sample.begin();
  const hello = sample.sent[0]?.toString('hex') ?? '';
  await sample.vanish();

  const flood = spawn(process.execPath, [FLOOD, String(port), hello], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const before = listener.stats();
  while (listener.stats().helloVerifyRequests < before.helloVerifyRequests + 2000)
    await new Promise((resolve) => setTimeout(resolve, 10));

  let answers = 0;
  for (let round = 0; round < 20; round++) {
    // One datagram may be lost where the kernel's buffer is full; the client of a real session repeats itself.
    const answer = await echo(live, `live ${round}`, 500).catch(() => undefined);
    if (answer === `live ${round}`) answers++;
  }
  const newcomer = await connectDtls({ host: '127.0.0.1', port, ...withCertificate, timeoutMs: 10_000 });
  const during = listener.stats();
  flood.stdin.end();
  await new Promise((resolve) => flood.once('exit', resolve));

  expect(answers).toBeGreaterThanOrEqual(15);
  expect(during).toMatchObject({ pending: 0, sessions: 2, handshakes: 2 });
  expect(during.helloVerifyRequests).toBeGreaterThan(2000);
  live.close();
  newcomer.close();
}, 30_000);
