/** The signal channel over TCP (RFC 9132 §3, §7.1, §8; RFC 8323 §8.2). */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { connectDtls } from '#adapters/dtls/client.ts';
import { issueServerCertificate, makeRoot } from '#adapters/pki/authority.ts';
import { identityOfCertificate, identityOfPsk } from '#adapters/pki/identity.ts';
import { connectTls, type TlsClientSession } from '#adapters/tls/client.ts';
import { DEFAULT_RATES } from '#adapters/tls/handshake-limits.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { echo, PSK, PSK_IDENTITY, pskKey, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { makeMisnamedServer, makeRefusedClients, makeTestPki, TEST_SERVER_NAME } from '#test/support/pki.ts';
import { startTlsEcho, stopTlsEchoes } from '#test/support/tls.ts';

const pki = await makeTestPki();
const refused = await makeRefusedClients(pki.authority);
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };
const host = '127.0.0.1';

afterEach(stopTlsEchoes);
afterEach(stopEchoes);

/** A client of node:tls, for what ours does not do. */
async function rawConnect(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host, port, ca: pki.ca, checkServerIdentity: () => undefined, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.on('error', reject);
  });
  return socket;
}

async function ended(session: SecureSession): Promise<string> {
  return new Promise((resolve) => {
    session.onClose = resolve;
    session.onMessage = () => undefined;
  });
}

describe('certificates', () => {
  test('S-403 S-404 S-405 both ends prove themselves, by the same identities as over UDP', async () => {
    const { port, sessions } = await startTlsEcho(server);
    const client = await connectTls({ host, port, ...withCertificate });
    expect(await echo(client, 'hello')).toBe('hello');
    expect(client.transport).toBe('tcp');
    expect(client.credential.identityId).toBe(identityOfCertificate(pki.server.certificate));
    const overUdp = await startEcho(server);
    const udpClient = await connectDtls({ host, port: overUdp.port, ...withCertificate });
    expect(sessions[0]?.credential).toEqual(overUdp.sessions[0]?.credential);
    expect(client.credential).toEqual(udpClient.credential);
    client.close();
    udpClient.close();
  });

  test.each([...(Object.keys(refused) as (keyof typeof refused)[])])(
    'S-403 S-404 a client certificate that is %s opens no session and gets no ticket, under TLS 1.2 and 1.3',
    async (kind) => {
      const { port, sessions, listener, traces } = await startTlsEcho(server);
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const credentials = { cert: refused[kind].certificate, key: refused[kind].key };
        const socket = connect({ host, port, ca: pki.ca, maxVersion, ...credentials });
        const tickets: Buffer[] = [];
        socket.on('session', (ticket) => tickets.push(ticket));
        socket.on('error', () => undefined);
        socket.resume();
        await new Promise((resolve) => socket.once('close', resolve));
        expect(tickets).toEqual([]);
      }
      await until(() => listener.stats().pending === 0);
      expect(sessions).toHaveLength(0);
      expect(traces.filter((trace) => trace.type === 'handshake-failed')).toHaveLength(2);
    },
  );

  test('A-234 S-043 S-403 a client without certificate or PSK opens no session', async () => {
    const { port, sessions } = await startTlsEcho(server);
    const outcome = await connectTls({ host, port, ca: pki.ca }).then(ended, () => 'rejected');
    expect(outcome).toMatch(/peer-closed|rejected/);
    expect(sessions).toHaveLength(0);
  });
});

describe('the server as the client sees it', () => {
  test('A-185 S-376 a server of an unknown authority is not trusted', async () => {
    const foreign = await makeRoot({ name: 'Foreign' });
    const certificate = await issueServerCertificate(foreign, { name: 'x', dnsNames: [TEST_SERVER_NAME] });
    const { port } = await startTlsEcho({ ...server, cert: certificate.certificate, key: certificate.key });
    await expect(
      connectTls({ host, port, serverName: TEST_SERVER_NAME, ...withCertificate }),
    ).rejects.toMatchObject({ failure: 'untrusted' });
  });

  test('S-377 S-383 the configured name is indicated and compared', async () => {
    const { port } = await startTlsEcho(server);
    const named = await connectTls({ host, port, serverName: TEST_SERVER_NAME, ...withCertificate });
    named.close();
    await expect(
      connectTls({ host, port, serverName: 'other.test', ...withCertificate }),
    ).rejects.toMatchObject({ failure: 'untrusted' });
  });

  test('S-378 S-380 S-381 an SRV-ID is good; common name, wildcard and URI are not', async () => {
    const bySrv = await issueServerCertificate(pki.authority, {
      name: 'x',
      dnsNames: [],
      serviceNames: ['_dots-signal.srv.test'],
    });
    const srv = await startTlsEcho({ ...server, cert: bySrv.certificate, key: bySrv.key });
    const client = await connectTls({ host, port: srv.port, serverName: 'srv.test', ...withCertificate });
    client.close();
    const misnamed = await makeMisnamedServer(pki.authority, TEST_SERVER_NAME);
    const wrong = await startTlsEcho({ ...server, cert: misnamed.certificate, key: misnamed.key });
    await expect(
      connectTls({ host, port: wrong.port, serverName: TEST_SERVER_NAME, ...withCertificate }),
    ).rejects.toMatchObject({ failure: 'untrusted' });
  });
});

describe('pre-shared keys', () => {
  test('S-384 S-405 a PSK client is served on the port of the certificates', async () => {
    const { port, sessions } = await startTlsEcho(server);
    const client = await connectTls({ host, port, psk: PSK });
    expect(await echo(client, 'hello')).toBe('hello');
    expect(sessions[0]?.credential).toEqual({
      kind: 'psk',
      identityId: identityOfPsk(PSK_IDENTITY),
      pskIdentity: PSK_IDENTITY,
    });
    client.close();
  });

  test.each([
    ['an unknown identity', { identity: 'nobody', key: PSK.key }],
    ['a wrong key', { identity: PSK_IDENTITY, key: Buffer.alloc(16) }],
  ])('%s is refused', async (_what, psk) => {
    const { port, sessions } = await startTlsEcho(server);
    await expect(connectTls({ host, port, psk })).rejects.toMatchObject({ failure: 'refused' });
    expect(sessions).toHaveLength(0);
  });

  test('under TLS 1.3 a PSK proves nobody, even with the right key', async () => {
    const { port, sessions } = await startTlsEcho(server);
    const socket = await rawConnect(port, {
      minVersion: 'TLSv1.3',
      pskCallback: () => ({ identity: PSK_IDENTITY, psk: PSK.key }),
    }).catch(() => undefined);
    if (socket !== undefined) {
      socket.on('error', () => undefined);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(sessions).toHaveLength(0);
  });
});

describe('resumption', () => {
  async function open(port: number, credentials: object, session?: Uint8Array): Promise<TlsClientSession> {
    const client = await connectTls({
      host,
      port,
      ...credentials,
      ...(session === undefined ? {} : { session }),
    });
    expect(await echo(client, 'hello')).toBe('hello');
    client.close();
    return client;
  }

  test.each([
    ['a certificate', withCertificate],
    ['a PSK', { psk: PSK }],
  ])(
    'S-384 a session made with %s is resumed after a restart, with the same proof at both ends',
    async (_what, credentials) => {
      const ticketKeys = [randomBytes(80)];
      const first = await startTlsEcho({ ...server, ticketKeys });
      const full = await open(first.port, credentials);
      await first.listener.close();
      const second = await startTlsEcho({ ...server, ticketKeys });
      const again = await open(second.port, credentials, full.ticket());
      expect([full.resumed, again.resumed]).toEqual([false, true]);
      expect(again.credential).toEqual(full.credential);
      expect(second.sessions[0]).toMatchObject({ resumed: true, credential: first.sessions[0]?.credential });
    },
  );

  test('a PSK that was withdrawn is not resumed, and other keys lead to a full handshake', async () => {
    let known = true;
    const { port, listener, sessions } = await startTlsEcho({
      ...server,
      pskKey: (name) => (known ? pskKey(name) : undefined),
    });
    const full = await open(port, { psk: PSK });
    const certified = await open(port, withCertificate);
    listener.setTicketKeys([randomBytes(80)]);
    expect((await open(port, withCertificate, certified.ticket())).resumed).toBe(false);
    listener.setTicketKeys([randomBytes(80)]);
    known = false;
    const session = full.ticket();
    const outcome = await connectTls({
      host,
      port,
      psk: PSK,
      ...(session === undefined ? {} : { session }),
    }).then(ended, () => 'rejected');
    expect(outcome).toMatch(/peer-closed|rejected/);
    expect(sessions).toHaveLength(3);
  });
});

describe('the profile', () => {
  test('A-185 S-375 nothing below TLS 1.2 is spoken', async () => {
    const { port, traces } = await startTlsEcho(server);
    await expect(
      rawConnect(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    await until(() => traces.length > 0);
    expect(traces).toContainEqual(expect.objectContaining({ reason: 'unsupported protocol' }));
  });

  test('P-270 P-271 ALPN: coap is selected, others are refused with no_application_protocol', async () => {
    const { port } = await startTlsEcho(server);
    const socket = await rawConnect(port, { ...withCertificate, ALPNProtocols: ['h2', 'coap'] });
    expect(socket.alpnProtocol).toBe('coap');
    socket.destroy();
    await expect(rawConnect(port, { ...withCertificate, ALPNProtocols: ['h2'] })).rejects.toThrow(
      /no application protocol/,
    );
  });

  test('P-269 a client leaves a server that does not negotiate coap, unless told otherwise', async () => {
    const plain = createServer({ cert: pki.server.certificate, key: pki.server.key });
    await new Promise<void>((resolve) => plain.listen(0, host, resolve));
    const { port } = plain.address() as { port: number };
    await expect(connectTls({ host, port, ...withCertificate })).rejects.toThrow(/ALPN/);
    const tolerant = await connectTls({ host, port, ...withCertificate, requireAlpn: false });
    tolerant.close();
    plain.close();
  });
});

describe('the end, and the limits', () => {
  test('close_notify in either direction ends the session once', async () => {
    const { port, sessions, closed } = await startTlsEcho(server);
    const first = await connectTls({ host, port, ...withCertificate });
    await echo(first, 'up');
    const told = ended(first);
    sessions[0]?.close();
    expect(await told).toBe('peer-closed');
    const second = await connectTls({ host, port, ...withCertificate });
    await echo(second, 'up');
    second.close();
    second.close();
    await until(() => closed.length === 2);
    expect(closed).toEqual(['closed', 'peer-closed']);
    expect(second.send(Buffer.from('too late'))).toBe(false);
  });

  test('a peer that does not read is closed when too much waits for it', async () => {
    const { port, sessions, closed, listener } = await startTlsEcho({ ...server, maxUnsentBytes: 100_000 });
    const deaf = await connectTls({ host, port, ...withCertificate });
    deaf.send(Buffer.from('x'));
    await until(() => sessions.length === 1);
    const [session] = sessions;
    let sent = 0;
    while (session?.send(Buffer.alloc(10_000)) === true && sent < 100_000_000) {
      sent += 10_000;
      if (sent % 50_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(closed).toEqual(['peer does not read']);
    expect(sent).toBeLessThan(50_000_000);
    await until(() => listener.stats().pending === 0);
    deaf.close();
  });

  test('a connection that never speaks TLS is cut off in time, and counts as pending until then', async () => {
    const { port, listener } = await startTlsEcho({ ...server, handshakeTimeoutMs: 300, maxPending: 1 });
    const mute = connectTcp(port, host);
    mute.on('error', () => undefined);
    await until(() => listener.stats().pending === 1);
    await expect(connectTls({ host, port, ...withCertificate })).rejects.toMatchObject({
      failure: 'refused',
    });
    await until(() => listener.stats().pending === 0);
    const client = await connectTls({ host, port, ...withCertificate });
    expect(await echo(client, 'room again')).toBe('room again');
    client.close();
  });

  test.each([
    ['session-limit', { maxSessions: 1 }],
    ['host-limit', { maxSessionsPerHost: 1 }],
    ['global-limit', { handshakeRates: { ...DEFAULT_RATES, burst: 1, perSecond: 0.01 } }],
  ])('beyond the %s nobody is let in', async (reason, limit) => {
    const { port, traces } = await startTlsEcho({ ...server, ...limit });
    const first = await connectTls({ host, port, ...withCertificate });
    await echo(first, 'first');
    await expect(connectTls({ host, port, ...withCertificate })).rejects.toMatchObject({
      failure: 'refused',
    });
    expect(traces).toContainEqual(expect.objectContaining({ type: 'dropped', reason }));
    expect(await echo(first, 'still first')).toBe('still first');
    first.close();
  });

  test('a handler that throws ends its own session and is reported', async () => {
    const boom = new Error('boom');
    const { port, traces, listener } = await startTlsEcho({
      ...server,
      onSession: (session) => {
        session.onMessage = () => {
          throw boom;
        };
      },
    });
    const client = await connectTls({ host, port, ...withCertificate });
    const told = ended(client);
    client.send(Buffer.from('x'));
    await told;
    expect(traces).toContainEqual(expect.objectContaining({ type: 'fault', error: boom }));
    await until(() => listener.stats().sessions === 0);
  });

  test('an idle connection is closed, and nobody listening is noticed at once', async () => {
    const { port, closed, listener } = await startTlsEcho({ ...server, idleTimeoutMs: 150 });
    const client = await connectTls({ host, port, ...withCertificate });
    expect(await ended(client)).toBe('peer-closed');
    expect(closed).toEqual(['idle']);
    await listener.close();
    await expect(connectTls({ host, port, ...withCertificate })).rejects.toMatchObject({
      failure: 'unreachable',
    });
  });

  test('S-024 IPv6 is served beside IPv4', async () => {
    const { port, listener } = await startTlsEcho({ ...server, host: [host, '::1'] });
    expect(listener.addresses).toEqual([`${host}:${port}`, `[::1]:${port}`]);
    const client = await connectTls({ host: '::1', port, ...withCertificate });
    expect(await echo(client, 'six')).toBe('six');
    client.close();
  });
});
