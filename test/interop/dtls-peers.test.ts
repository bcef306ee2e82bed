/** Other people's DTLS and TLS against ours: OpenSSL 3.0 of the system, GnuTLS, libcoap, node-dtls-client. */
import { fileURLToPath } from 'node:url';
import { dtls } from 'node-dtls-client';
import { connectDtls } from '#adapters/dtls/client.ts';
import { identityOfCertificate, identityOfPsk } from '#adapters/pki/identity.ts';
import { echo, PSK, PSK_IDENTITY, pskKey, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { requirePeer } from '#test/support/peer.ts';
import { makeRefusedClients, makeTestPki } from '#test/support/pki.ts';
import { PkiFiles } from '#test/support/pki-files.ts';
import { Program } from '#test/support/program.ts';
import { startTlsEcho, stopTlsEchoes } from '#test/support/tls.ts';

const OPENSSL = requirePeer('openssl');
const GNUTLS = requirePeer('gnutls-cli');
const COAP_OPENSSL = requirePeer('coap-client-openssl');
const COAP_GNUTLS = requirePeer('coap-client-gnutls');

const ECHO_PROCESS = new URL('../support/dtls-echo-process.ts', import.meta.url);

const pki = await makeTestPki();
const refused = await makeRefusedClients(pki.authority);
const files = new PkiFiles(pki);
const foreign = files.credentials('foreign', refused.unknownAuthority);
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };
const host = '127.0.0.1';
const TEXT_KEY = 'a key that is text';
const pskHex = PSK.key.toString('hex');

const programs: Program[] = [];
function start(path: string, ...args: readonly string[]): Program {
  const program = new Program(path, args);
  programs.push(program);
  return program;
}

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.end()));
  await stopEchoes();
  await stopTlsEchoes();
});
afterAll(() => {
  files.remove();
});

describe('openssl s_client', () => {
  const sClient = (port: number, ...args: readonly string[]): Program =>
    start(OPENSSL, 's_client', '-connect', `${host}:${port}`, '-CAfile', files.ca, ...args);
  const asClient = ['-cert', files.client.certificate, '-key', files.client.key];

  test('with a certificate: both verify, and data comes back', async () => {
    const { port, sessions } = await startEcho(server);
    const client = sClient(port, '-dtls1_2', '-verify_return_error', ...asClient);
    await client.prints(/Verify return code: 0/);
    client.tell('over dtls\n');
    await client.prints(/over dtls/);
    expect(sessions[0]?.credential.identityId).toBe(identityOfCertificate(pki.client.certificate));
  });

  test('S-376 S-403 with a certificate of an unknown CA it gets the alert unknown_ca', async () => {
    const { port, sessions } = await startEcho(server);
    const client = sClient(port, '-dtls1_2', '-cert', foreign.certificate, '-key', foreign.key);
    await client.prints(/alert unknown ca/);
    expect(sessions).toHaveLength(0);
  });

  test('S-405 with a PSK, though it offers certificate suites as well', async () => {
    const { port, sessions } = await startEcho(server);
    const client = sClient(port, '-dtls1_2', '-psk_identity', PSK_IDENTITY, '-psk', pskHex);
    await client.prints(/Cipher is ECDHE-PSK-CHACHA20-POLY1305/);
    client.tell('with a psk\n');
    await client.prints(/with a psk/);
    expect(sessions[0]?.credential.identityId).toBe(identityOfPsk(PSK_IDENTITY));
  });

  test.each([
    'PSK-AES128-GCM-SHA256',
    'PSK-AES128-CCM',
    'ECDHE-ECDSA-AES128-CCM',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ])('with %s', async (suite) => {
    const { port } = await startEcho(server);
    const credentials = suite.startsWith('PSK') ? ['-psk_identity', PSK_IDENTITY, '-psk', pskHex] : asClient;
    const client = sClient(port, '-dtls1_2', '-cipher', suite, ...credentials);
    await client.prints(new RegExp(`Cipher is ${suite}`));
    client.tell('suite\n');
    await client.prints(/suite/);
  });

  test('S-375 offering DTLS 1.0 only, it is refused with protocol_version', async () => {
    const { port, sessions } = await startEcho(server);
    const client = sClient(port, '-dtls1', '-cipher', 'DEFAULT@SECLEVEL=0', ...asClient);
    await client.prints(/alert protocol version/);
    expect(sessions).toHaveLength(0);
  });

  test('S-374 S-429 it finds no weak suite, no compression and no renegotiation', async () => {
    const { port } = await startEcho(server);
    for (const weak of [
      'eNULL',
      'aNULL',
      'RC4',
      '3DES',
      'kRSA',
      'AES128-SHA',
      'CBC',
      'PSK-AES128-CBC-SHA256',
    ]) {
      const client = sClient(port, '-dtls1_2', '-cipher', `${weak}:@SECLEVEL=0`, '-psk', pskHex, ...asClient);
      await client.prints(/alert handshake failure|no cipher match|no ciphers available/);
    }
    const client = sClient(port, '-dtls1_2', '-comp', ...asClient);
    await client.prints(/Compression: NONE[^]*Verify return code: 0/);
    client.tell('R\n');
    await client.prints(/no renegotiation/i);
  });

  test('it resumes by the ticket it kept in a file, at another process’s worth of server', async () => {
    const ticketKeys = [Buffer.alloc(80, 7)];
    const first = await startEcho({ ...server, ticketKeys });
    const kept = `${files.folder}/session.pem`;
    const full = sClient(first.port, '-dtls1_2', '-sess_out', kept, ...asClient);
    await full.prints(/Verify return code: 0/);
    const second = await startEcho({ ...server, ticketKeys });
    const again = sClient(second.port, '-dtls1_2', '-sess_in', kept, ...asClient);
    await again.prints(/Reused, TLSv1.2/);
    await until(() => second.sessions.length === 1);
    expect(second.sessions[0]).toMatchObject({ resumed: true, credential: first.sessions[0]?.credential });
  });

  test('over TCP: TLS 1.3 with a certificate, TLS 1.2 with a PSK, and ALPN', async () => {
    const { port, sessions } = await startTlsEcho(server);
    const certified = sClient(port, '-alpn', 'coap', ...asClient);
    await certified.prints(/ALPN protocol: coap/);
    certified.tell('over tls\n');
    await certified.prints(/over tls/);
    const shared = sClient(port, '-tls1_2', '-psk_identity', PSK_IDENTITY, '-psk', pskHex);
    await shared.prints(/Cipher is ECDHE-PSK-CHACHA20-POLY1305/);
    shared.tell('shared\n');
    await shared.prints(/shared/);
    expect(sessions.map(({ credential }) => credential.kind)).toEqual(['certificate', 'psk']);
  });

  test('S-388 over TCP it is given no early data to send', async () => {
    const { port } = await startTlsEcho(server);
    const client = sClient(port, ...asClient);
    await client.prints(/Max Early Data: 0/);
  });
});

describe('openssl s_server', () => {
  async function sServer(...args: readonly string[]): Promise<number> {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const program = start(OPENSSL, 's_server', '-dtls1_2', '-port', String(port), ...args);
    await program.prints(/ACCEPT/);
    return port;
  }
  const asServer = ['-cert', files.server.certificate, '-key', files.server.key, '-CAfile', files.ca];

  test('our client proves itself by certificate', async () => {
    const port = await sServer(...asServer, '-Verify', '2', '-verify_return_error');
    const client = await connectDtls({ host, port, serverName: 'dots.test', ...withCertificate });
    expect(client.credential.identityId).toBe(identityOfCertificate(pki.server.certificate));
    client.send(Buffer.from('to the server\n'));
    await programs.at(-1)?.prints(/to the server/);
    client.close();
  });

  test('our client shares a key, and leaves a server of another name', async () => {
    const port = await sServer(...asServer, '-psk_identity', PSK_IDENTITY, '-psk', pskHex);
    const client = await connectDtls({ host, port, psk: PSK });
    client.send(Buffer.from('shared key\n'));
    await programs.at(-1)?.prints(/shared key/);
    client.close();
    const other = await sServer(...asServer);
    await expect(
      connectDtls({ host, port: other, serverName: 'other.test', ...withCertificate }),
    ).rejects.toMatchObject({
      failure: 'untrusted',
    });
  });

  test('S-383 our client indicates the server’s name, and no bare address', async () => {
    const port = await sServer(
      ...asServer,
      '-servername',
      'dots.test',
      '-cert2',
      files.server.certificate,
      '-key2',
      files.server.key,
    );
    const named = await connectDtls({ host, port, serverName: 'dots.test', ...withCertificate });
    await programs.at(-1)?.prints(/Hostname in TLS extension: "dots.test"/);
    named.close();
    const seen = programs.at(-1)?.output.match(/Hostname in TLS extension/g)?.length;
    const bare = await connectDtls({ host, port, ...withCertificate });
    bare.close();
    expect(programs.at(-1)?.output.match(/Hostname in TLS extension/g)?.length).toBe(seen);
  });
});

describe('gnutls-cli', () => {
  const cli = (port: number, ...args: readonly string[]): Program =>
    start(GNUTLS, '--port', String(port), '--x509cafile', files.ca, ...args, 'localhost');

  test.each([
    ['DTLS', startEcho, ['--udp']],
    ['TLS', startTlsEcho, []],
  ])('%s with a certificate', async (_name, startServer, args) => {
    const { port, sessions } = await startServer({ ...server, host: ['127.0.0.1', '::1'] });
    const credentials = ['--x509certfile', files.client.certificate, '--x509keyfile', files.client.key];
    const client = cli(port, ...args, ...credentials);
    await client.prints(/Simple Client Mode/);
    client.tell('from gnutls\n');
    await client.prints(/from gnutls/);
    expect(sessions[0]?.credential.identityId).toBe(identityOfCertificate(pki.client.certificate));
  });

  const asPsk = (keyExchange: string): readonly string[] => [
    ...['--udp', '--pskusername', PSK_IDENTITY, '--pskkey', pskHex],
    ...['--priority', `NORMAL:-KX-ALL:+${keyExchange}:-VERS-ALL:+VERS-DTLS1.2`],
  ];

  test('DTLS with a PSK', async () => {
    const { port, sessions } = await startEcho({ ...server, host: ['127.0.0.1', '::1'] });
    const client = cli(port, ...asPsk('PSK'));
    await client.prints(/Simple Client Mode/);
    client.tell('gnutls psk\n');
    await client.prints(/gnutls psk/);
    expect(sessions[0]?.credential.identityId).toBe(identityOfPsk(PSK_IDENTITY));
  });

  // GnuTLS 3.8's command line crashes afterwards, describing the key exchange: libcoap shows the rest.
  test('DTLS with a PSK and ephemeral keys: the handshake completes', async () => {
    const { port, traces } = await startEcho({ ...server, host: ['127.0.0.1', '::1'] });
    cli(port, ...asPsk('ECDHE-PSK'));
    await until(() => traces.some(({ type }) => type === 'opened'));
    expect(traces).toContainEqual(
      expect.objectContaining({ kind: 'psk', cipher: 'ECDHE-PSK-CHACHA20-POLY1305' }),
    );
  });
});

describe('libcoap', () => {
  /** libcoap takes the key as text. */
  const credentialsFor = (kind: string): readonly string[] =>
    kind === 'psk'
      ? ['-u', PSK_IDENTITY, '-k', TEXT_KEY]
      : ['-c', files.client.certificate, '-j', files.client.key, '-C', files.ca];

  /** Enough CoAP to answer one confirmable GET (RFC 7252 §3): 2.05 with its token and a payload. */
  function answerGet(message: Uint8Array): Buffer {
    const tokenLength = (message[0] ?? 0) & 15;
    const head = [0x60 | tokenLength, 0x45, message[2] ?? 0, message[3] ?? 0];
    return Buffer.concat([
      Buffer.from(head),
      message.subarray(4, 4 + tokenLength),
      Buffer.from('\xffsecured', 'latin1'),
    ]);
  }

  test.each([
    ['OpenSSL', COAP_OPENSSL, 'certificate'],
    ['GnuTLS', COAP_GNUTLS, 'certificate'],
    ['OpenSSL', COAP_OPENSSL, 'psk'],
    ['GnuTLS', COAP_GNUTLS, 'psk'],
  ])('over %s (%s) with a %s', async (_name, path, kind) => {
    const { port, traces } = await startEcho({
      ...server,
      pskKey: () => Buffer.from(TEXT_KEY),
      onSession: (session) => {
        session.onMessage = (bytes) => {
          session.send(answerGet(bytes));
        };
      },
    });
    const client = start(path, '-B', '5', ...credentialsFor(kind), `coaps://127.0.0.1:${port}/x`);
    await client.prints(/secured/);
    expect(traces).toContainEqual(expect.objectContaining({ type: 'opened', kind }));
  });

  test.each([
    ['OpenSSL', COAP_OPENSSL, 'certificate'],
    ['GnuTLS', COAP_GNUTLS, 'certificate'],
    ['OpenSSL', COAP_OPENSSL, 'psk'],
    ['GnuTLS', COAP_GNUTLS, 'psk'],
  ])('over TCP, over %s (%s) with a %s', async (_name, path, kind) => {
    const { port, traces } = await startTlsEcho({ ...server, pskKey: () => Buffer.from(TEXT_KEY) });
    start(path, '-B', '2', ...credentialsFor(kind), `coaps+tcp://127.0.0.1:${port}/x`);
    await until(() => traces.length > 0);
    expect(traces[0]).toMatchObject({ type: 'opened', kind });
  });
});

test('node-dtls-client, another implementation in JavaScript, with a PSK', async () => {
  const { port, sessions } = await startEcho(server);
  const client = dtls.createSocket({
    type: 'udp4',
    address: host,
    port,
    psk: { [PSK_IDENTITY]: PSK.key },
    timeout: 3000,
  });
  const answer = await new Promise<string>((resolve, reject) => {
    client.on('connected', () => {
      client.send(Buffer.from('from javascript'));
    });
    client.on('message', (message: Buffer) => {
      resolve(message.toString());
    });
    client.on('error', reject);
  });
  expect(answer).toBe('from javascript');
  expect(sessions[0]?.credential.identityId).toBe(identityOfPsk(PSK_IDENTITY));
  await new Promise<void>((resolve) => {
    client.close(resolve);
  });
});

test('S-384 a session made with one process is resumed with another that shares the ticket key', async () => {
  const settings = {
    ca: files.ca,
    cert: files.server.certificate,
    key: files.server.key,
    ticketKey: '5a'.repeat(80),
  };
  const listening = async (): Promise<{ program: Program; port: number }> => {
    const program = start(process.execPath, fileURLToPath(ECHO_PROCESS), JSON.stringify(settings));
    await program.prints(/port (\d+)/);
    return { program, port: Number(/port (\d+)/.exec(program.output)?.[1]) };
  };
  const [first, second] = await Promise.all([listening(), listening()]);
  const full = await connectDtls({ host, port: first.port, ...withCertificate });
  const session = full.ticket();
  if (session === undefined) throw new Error('No ticket');
  const again = await connectDtls({ host, port: second.port, ...withCertificate, session });
  expect(await echo(again, 'resumed')).toBe('resumed');
  const identityId = identityOfCertificate(pki.client.certificate);
  await first.program.prints(new RegExp(JSON.stringify({ resumed: false, identityId })));
  await second.program.prints(new RegExp(JSON.stringify({ resumed: true, identityId })));
  full.close();
  again.close();
});
