/** RFC 9132 §7.2: early data over TLS 1.3, which neither end here ever takes or sends; and the suites of TLS (§11). */
import { readFileSync } from 'node:fs';
import { connectTls } from '#adapters/tls/client.ts';
import { echo, PSK, PSK_IDENTITY, pskKey, until } from '#test/support/dtls.ts';
import { requirePeer } from '#test/support/peer.ts';
import { makeTestPki } from '#test/support/pki.ts';
import { PkiFiles } from '#test/support/pki-files.ts';
import { Program } from '#test/support/program.ts';
import { startTlsEcho, stopTlsEchoes } from '#test/support/tls.ts';

const OPENSSL = requirePeer('openssl');
const host = '127.0.0.1';
const pki = await makeTestPki();
const files = new PkiFiles(pki);
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const asClient = ['-cert', files.client.certificate, '-key', files.client.key];

const programs: Program[] = [];
function openssl(...args: readonly string[]): Program {
  const program = new Program(OPENSSL, args);
  programs.push(program);
  return program;
}
const sClient = (port: number, ...args: readonly string[]): Program =>
  openssl('s_client', '-connect', `${host}:${port}`, '-CAfile', files.ca, ...args);

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.end()));
  await stopTlsEchoes();
});
afterAll(() => files.remove());

/** RFC 8323 §3.2: Len and TKL 0, code 7.02. */
const PING = Buffer.from('00e2', 'hex');

/** OpenSSL's file of a session, changed so that its client believes that early data may be sent. */
function withEarlyData(pem: string): string {
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  const elements: Buffer[] = [];
  for (let at = lengthAt(der, 1).end; at < der.length; ) {
    const { length, end } = lengthAt(der, at + 1);
    elements.push(der.subarray(at, end + length));
    at = end + length;
  }
  // [15] max_early_data, INTEGER 16384, in the order of tags.
  const place = elements.findIndex(([tag = 0]) => tag >= 0xb0);
  elements.splice(place === -1 ? elements.length : place, 0, Buffer.from('af0402024000', 'hex'));
  const body = Buffer.concat(elements);
  const changed = Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]), body]);
  const label = 'SSL SESSION PARAMETERS';
  const lines = changed.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** A DER length at `at`, and where what it measures begins. */
function lengthAt(der: Buffer, at: number): { readonly length: number; readonly end: number } {
  const first = der[at] ?? 0;
  if (first < 0x80) return { length: first, end: at + 1 };
  const bytes = first & 0x7f;
  return { length: der.readUIntBE(at + 1, bytes), end: at + 1 + bytes };
}

test('P-061 P-105 S-390 S-391 S-392 early data, sent all the same, is never taken: a Ping in it meets no Pong, and a replay neither', async () => {
  const heard: Buffer[] = [];
  const { port, sessions } = await startTlsEcho({
    ...server,
    onSession: (session) => {
      sessions.push(session);
      session.onMessage = (bytes) => {
        heard.push(Buffer.from(bytes));
        session.send(bytes);
      };
    },
  });
  const kept = `${files.folder}/session.pem`;
  await sClient(port, '-sess_out', kept, ...asClient).prints(/Max Early Data: 0/);
  const [early, eager] = [files.write('ping.bin', PING.toString('latin1')), `${files.folder}/eager.pem`];
  files.write('eager.pem', withEarlyData(readFileSync(kept, 'utf8')));
  for (const attempt of [1, 2]) {
    const client = sClient(port, '-sess_in', eager, '-early_data', early, ...asClient);
    await client.prints(/Early data was rejected/);
    client.tell(`attempt ${attempt}\n`);
    await client.prints(new RegExp(`attempt ${attempt}`));
  }
  expect(Buffer.concat(heard).toString('latin1')).toBe('attempt 1\nattempt 2\n');
});

test('S-389 our client sends no early data, a Ping the less, though the server would take it', async () => {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const peer = openssl(
    ...['s_server', '-tls1_3', '-port', String(port), '-alpn', 'coap', '-early_data', '-no_anti_replay'],
    ...['-cert', files.server.certificate, '-key', files.server.key, '-CAfile', files.ca, '-Verify', '2'],
  );
  await peer.prints(/ACCEPT/);
  const options = { host, port, serverName: 'dots.test', ca: pki.ca, requireAlpn: false };
  const first = await connectTls({ ...options, cert: pki.client.certificate, key: pki.client.key });
  await until(() => first.ticket() !== undefined);
  const session = first.ticket();
  first.close();
  if (session === undefined) throw new Error('the server gave no ticket');
  await connectTls({ ...options, cert: pki.client.certificate, key: pki.client.key, session });
  await peer.prints(/Reused session-id/);
  expect(peer.output.match(/No early data received/g)).toHaveLength(2);
  expect(peer.output).not.toContain('Early data received:');
});

test('S-428 over TCP too, only suites with authenticated encryption are agreed on', async () => {
  const { port, sessions } = await startTlsEcho(server);
  for (const weak of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-PSK-AES128-CBC-SHA256']) {
    const psk = weak.includes('PSK')
      ? ['-psk_identity', PSK_IDENTITY, '-psk', PSK.key.toString('hex')]
      : asClient;
    const client = sClient(port, '-tls1_2', '-cipher', `${weak}:@SECLEVEL=0`, ...psk);
    await client.prints(/alert handshake failure/);
  }
  expect(sessions).toHaveLength(0);
  const strong = await connectTls({
    host,
    port,
    ca: pki.ca,
    cert: pki.client.certificate,
    key: pki.client.key,
  });
  expect(await echo(strong, 'sealed')).toBe('sealed');
  strong.close();
});
