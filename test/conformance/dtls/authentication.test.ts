import { X509Certificate } from 'node:crypto';
import { type ConnectDtlsOptions, connectDtls } from '#adapters/dtls/client.ts';
import { issueServerCertificate, makeRoot } from '#adapters/pki/authority.ts';
import { identityOfCertificate, identityOfPsk } from '#adapters/pki/identity.ts';
import type { HandshakeError } from '#adapters/tls/handshake-error.ts';
import {
  echo,
  PSK,
  PSK_IDENTITY,
  PSK_KEY,
  pskKey,
  startEcho,
  stopEchoes,
  until,
} from '#test/support/dtls.ts';
import {
  makeMisnamedServer,
  makeRefusedClients,
  makeSelfSignedServer,
  makeTestPki,
  TEST_SERVER_NAME,
} from '#test/support/pki.ts';

const pki = await makeTestPki();
const refused = await makeRefusedClients(pki.authority);
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };

async function refusalOf(options: ConnectDtlsOptions): Promise<HandshakeError> {
  return connectDtls({ timeoutMs: 1500, ...options }).then(
    () => {
      throw new Error('It was let in');
    },
    (error: unknown) => error as HandshakeError,
  );
}

afterEach(stopEchoes);

describe('certificates', () => {
  test('S-403 S-404 S-405 both ends prove themselves by certificate and know each other', async () => {
    const { port, sessions } = await startEcho(server);
    const client = await connectDtls({ host: '127.0.0.1', port, ...withCertificate });
    expect(await echo(client, 'hello')).toBe('hello');
    expect(client.credential).toEqual({
      kind: 'certificate',
      identityId: identityOfCertificate(pki.server.certificate),
      subject: 'CN=dots.test',
      notAfter: new X509Certificate(pki.server.certificate).validToDate.getTime() / 1000,
    });
    expect(sessions[0]?.credential.identityId).toBe(identityOfCertificate(pki.client.certificate));
    client.close();
  });

  test.each([
    ['expired', 'certificate expired'],
    ['notYetValid', 'bad certificate'],
    ['wrongUsage', 'unsupported certificate'],
    ['unknownAuthority', 'unknown ca'],
    ['selfSigned', 'unknown ca'],
  ] as const)(
    'S-403 S-404 a client certificate that is %s is refused with an alert: %s',
    async (kind, alert) => {
      const { port, sessions, traces } = await startEcho(server);
      const credentials = { cert: refused[kind].certificate, key: refused[kind].key };
      const error = await refusalOf({ host: '127.0.0.1', port, ca: pki.ca, ...credentials });
      expect(error.failure).toBe('refused');
      expect(error.message).toContain(alert);
      expect(traces).toContainEqual(expect.objectContaining({ type: 'handshake-failed' }));
      expect(sessions).toHaveLength(0);
    },
  );

  test('A-234 S-043 S-403 a client of a certificate suite without certificate is refused, though PSK is served on the port', async () => {
    const { port, sessions, listener } = await startEcho(server);
    const error = await refusalOf({ host: '127.0.0.1', port, ca: pki.ca });
    expect(error.failure).toBe('refused');
    expect(error.message).toContain('handshake failure');
    expect(sessions).toHaveLength(0);
    expect(listener.stats()).toMatchObject({ sessions: 0, pending: 0, failed: 1 });
  });
});

describe('the server as the client sees it', () => {
  test.each([
    ['of an unknown authority', 'foreign'],
    ['expired', 'expired'],
    ['self-signed', 'selfSigned'],
  ] as const)('S-376 a server certificate that is %s is not trusted', async (_what, kind) => {
    const foreign = await makeRoot({ name: 'Foreign' });
    const day = 86_400_000;
    const certificate = {
      foreign: await issueServerCertificate(foreign, { name: 'x', dnsNames: [TEST_SERVER_NAME] }),
      expired: await issueServerCertificate(pki.authority, {
        name: 'x',
        dnsNames: [TEST_SERVER_NAME],
        validity: { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) },
      }),
      selfSigned: await makeSelfSignedServer(TEST_SERVER_NAME),
    }[kind];
    const { port, sessions } = await startEcho({
      ...server,
      cert: certificate.certificate,
      key: certificate.key,
    });
    const error = await refusalOf({
      host: '127.0.0.1',
      port,
      serverName: TEST_SERVER_NAME,
      ...withCertificate,
    });
    expect(error.failure).toBe('untrusted');
    expect(sessions).toHaveLength(0);
  });

  test('S-377 the name is compared, whatever address was dialled', async () => {
    const { port } = await startEcho(server);
    const named = await connectDtls({
      host: '127.0.0.1',
      port,
      serverName: TEST_SERVER_NAME,
      ...withCertificate,
    });
    named.close();
    const error = await refusalOf({ host: '127.0.0.1', port, serverName: 'other.test', ...withCertificate });
    expect(error.failure).toBe('untrusted');
    expect(error.message).toMatch(/hostname mismatch/i);
  });

  test.each(['', 'two words', 'null\0byte'])('S-377 %j is no name to compare with', async (serverName) => {
    const { port, sessions } = await startEcho(server);
    const attempt = connectDtls({ host: '127.0.0.1', port, serverName, ...withCertificate });
    await expect(attempt).rejects.toThrow('Not a server name');
    expect(sessions).toHaveLength(0);
  });

  test('S-378 a certificate with the SRV-ID alone is good for its name, and for no other', async () => {
    const certificate = await issueServerCertificate(pki.authority, {
      name: 'x',
      dnsNames: [],
      serviceNames: ['_dots-signal.srv.test'],
    });
    const { port } = await startEcho({ ...server, cert: certificate.certificate, key: certificate.key });
    const client = await connectDtls({ host: '127.0.0.1', port, serverName: 'srv.test', ...withCertificate });
    expect(await echo(client, 'srv')).toBe('srv');
    client.close();
    const error = await refusalOf({ host: '127.0.0.1', port, serverName: 'rv.test', ...withCertificate });
    expect(error.failure).toBe('untrusted');
  });

  test('S-380 S-381 neither a common name, nor a wildcard, nor a URI is taken for the server’s name', async () => {
    const certificate = await makeMisnamedServer(pki.authority, TEST_SERVER_NAME);
    const { port } = await startEcho({ ...server, cert: certificate.certificate, key: certificate.key });
    const error = await refusalOf({
      host: '127.0.0.1',
      port,
      serverName: TEST_SERVER_NAME,
      ...withCertificate,
    });
    expect(error.failure).toBe('untrusted');
  });
});

describe('pre-shared keys', () => {
  test('S-384 S-405 a PSK client is served on the port of the certificates, with ephemeral keys', async () => {
    const { port, sessions, traces } = await startEcho(server);
    const client = await connectDtls({ host: '127.0.0.1', port, psk: PSK });
    expect(await echo(client, 'hello')).toBe('hello');
    expect(sessions[0]?.credential).toEqual({
      kind: 'psk',
      identityId: identityOfPsk(PSK_IDENTITY),
      pskIdentity: PSK_IDENTITY,
    });
    expect(traces).toContainEqual(
      expect.objectContaining({ type: 'opened', cipher: 'ECDHE-PSK-CHACHA20-POLY1305' }),
    );
    client.close();
  });

  test('A-003 an unknown PSK identity is refused with an alert', async () => {
    const { port } = await startEcho(server);
    const error = await refusalOf({ host: '127.0.0.1', port, psk: { identity: 'nobody', key: PSK_KEY } });
    expect(error.failure).toBe('refused');
    expect(error.message).toContain('unknown psk identity');
  });

  test('a wrong PSK meets silence, and both ends give up by their own clock', async () => {
    const { port, listener, sessions } = await startEcho({ ...server, handshakeTimeoutMs: 400 });
    const error = await refusalOf({
      host: '127.0.0.1',
      port,
      psk: { identity: PSK_IDENTITY, key: Buffer.alloc(16) },
      timeoutMs: 400,
    });
    expect(error.failure).toBe('timeout');
    await until(() => listener.stats().pending === 0);
    expect(sessions).toHaveLength(0);
  });

  test('a lookup that throws refuses the peer and is reported, and the service goes on', async () => {
    const broken = new Error('registry is away');
    let fails = true;
    const { port, traces } = await startEcho({
      ...server,
      pskKey: (identity) => {
        if (fails) throw broken;
        return pskKey(identity);
      },
    });
    await refusalOf({ host: '127.0.0.1', port, psk: PSK });
    expect(traces).toContainEqual(expect.objectContaining({ type: 'fault', error: broken }));
    fails = false;
    const client = await connectDtls({ host: '127.0.0.1', port, psk: PSK });
    expect(await echo(client, 'again')).toBe('again');
    client.close();
  });
});

test('nobody listening is noticed at once', async () => {
  const { port, listener } = await startEcho(server);
  await listener.close();
  expect((await refusalOf({ host: '127.0.0.1', port, psk: PSK })).failure).toBe('unreachable');
});

test('a handshake can be given up', async () => {
  const { port } = await startEcho(server);
  const giveUp = new AbortController();
  const refusal = refusalOf({ host: '127.0.0.1', port, psk: PSK, signal: giveUp.signal });
  giveUp.abort();
  expect((await refusal).failure).toBe('aborted');
});
