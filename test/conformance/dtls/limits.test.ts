/** What one peer, one address and all peers together can take (RFC 9132 §11). */
import { connectDtls } from '#adapters/dtls/client.ts';
import { DEFAULT_RATES } from '#adapters/tls/handshake-limits.ts';
import { BareClient, echo, PSK, pskKey, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const once = { host: '127.0.0.1', psk: PSK, timeoutMs: 400 };

afterEach(stopEchoes);

test('sessions beyond the limit are not begun; the others are not disturbed, and one may still start anew', async () => {
  const { port, traces } = await startEcho({ ...server, maxSessions: 1 });
  const first = await BareClient.open(port);
  await first.handshake();
  await expect(connectDtls({ ...once, port })).rejects.toMatchObject({ failure: 'timeout' });
  expect(traces).toContainEqual(expect.objectContaining({ type: 'dropped', reason: 'session-limit' }));
  expect(await first.echo('first')).toBe(true);
  const localPort = first.port;
  await first.vanish();
  const reborn = await BareClient.open(port, {}, localPort);
  await reborn.handshake();
  expect(await reborn.echo('reborn')).toBe(true);
  await reborn.vanish();
});

test('one host has its own limit', async () => {
  const { port, traces } = await startEcho({ ...server, maxSessionsPerHost: 2 });
  const two = [await connectDtls({ ...once, port }), await connectDtls({ ...once, port })];
  await expect(connectDtls({ ...once, port })).rejects.toMatchObject({ failure: 'timeout' });
  expect(traces).toContainEqual(expect.objectContaining({ type: 'dropped', reason: 'host-limit' }));
  two[0]?.close();
  await until(() => traces.some((trace) => trace.type === 'closed'));
  const third = await connectDtls({ ...once, port });
  expect(await echo(third, 'room again')).toBe('room again');
  third.close();
  two[1]?.close();
});

test('handshakes under way are limited and end by the clock', async () => {
  const { port, listener, traces } = await startEcho({ ...server, maxPending: 2, handshakeTimeoutMs: 300 });
  const stalled = await Promise.all(
    [1, 2, 3].map(async () => {
      const client = await BareClient.open(port, { psk: { identity: PSK.identity, key: Buffer.alloc(16) } });
      client.begin();
      return client;
    }),
  );
  await until(() => traces.some((trace) => trace.type === 'dropped' && trace.reason === 'pending-limit'));
  expect(listener.stats().pending).toBe(2);
  await until(() => listener.stats().pending === 0);
  expect(listener.stats().failed).toBe(2);
  for (const client of stalled) await client.vanish();
});

test('handshakes begin at a bounded rate; who comes too early comes again', async () => {
  const handshakeRates = { ...DEFAULT_RATES, perSecond: 2, burst: 1 };
  const { port, traces } = await startEcho({ ...server, handshakeRates });
  const opened = await Promise.all([1, 2].map(() => connectDtls({ ...once, port, timeoutMs: 3000 })));
  expect(opened).toHaveLength(2);
  expect(traces).toContainEqual(expect.objectContaining({ type: 'dropped', reason: 'global-limit' }));
  for (const session of opened) session.close();
});

test('a silent peer is closed after the idle time, and is told', async () => {
  const { port, closed } = await startEcho({ ...server, idleTimeoutMs: 200 });
  const session = await connectDtls({ ...once, port });
  const told: string[] = [];
  session.onClose = (reason) => told.push(reason);
  await until(() => told.length === 1);
  expect(closed).toEqual(['idle']);
  expect(told).toEqual(['peer-closed']);
});

test('close tells every peer and frees the port', async () => {
  const { port, listener, closed } = await startEcho(server);
  const session = await connectDtls({ ...once, port });
  const told: string[] = [];
  session.onClose = (reason) => told.push(reason);
  await Promise.all([listener.close(), listener.close()]);
  await until(() => told.length === 1);
  expect(closed).toEqual(['listener closed']);
  const next = await startEcho({ ...server, port });
  expect(next.port).toBe(port);
});
