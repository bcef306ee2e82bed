import { openssl, versionProblem } from '#adapters/dtls/openssl.ts';
import { SecureContext } from '#adapters/dtls/secure-context.ts';
import { readTicketKeys } from '#adapters/dtls/ticket-keys.ts';
import { PSK, pskKey } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { role: 'server', mtu: 1232 } as const;

test('this node carries an OpenSSL of 3.5 or later; an older one is refused with what to install', () => {
  expect(openssl().OpenSSL_version(0)).toMatch(/^OpenSSL 3\.(5|[6-9]|\d\d)/);
  expect(versionProblem(0x30500000, 'OpenSSL 3.5.0')).toBeUndefined();
  expect(versionProblem(0x3000_0160, 'OpenSSL 3.0.22')).toMatch(/carries OpenSSL 3\.0\.22.*npm ci/);
});

test.each<[string, object, RegExp]>([
  ['nothing to prove anything with', {}, /nobody can be authenticated/],
  ['a certificate without key', { ca: pki.ca, cert: pki.server.certificate }, /needs its key/],
  ['a certificate without authorities', { cert: pki.server.certificate, key: pki.server.key }, /authorities/],
  [
    'a foreign key',
    { ca: pki.ca, cert: pki.server.certificate, key: pki.client.key },
    /belong to the certificate/,
  ],
  ['no PEM', { ca: 'hello', pskKey }, /Not a PEM certificate/],
  ['a broken PEM', { ca: pki.ca.replace(/[A-Z]{3}/, '???'), pskKey }, /Not a PEM certificate|PEM/],
  ['no key', { ca: pki.ca, cert: pki.server.certificate, key: 'hello' }, /Not a PEM private key/],
  [
    'an encrypted key',
    { ca: pki.ca, cert: pki.server.certificate, key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n' },
    /encrypted/,
  ],
  ['a ticket key of 48 bytes', { pskKey, ticketKeys: [new Uint8Array(48)] }, /80 bytes/],
  ['an empty list of ticket keys', { pskKey, ticketKeys: [] }, /At least one/],
])('a context with %s is refused in words', (_what, options, words) => {
  expect(() => new SecureContext({ ...server, ...options })).toThrow(words);
});

test('contexts come and go without using up native callbacks', () => {
  // koffi has room for 8192 callbacks; each of these registers two.
  for (let count = 0; count < 2200; count++) {
    new SecureContext({ ...server, pskKey, ticketKeys: [new Uint8Array(80)] }).free();
    new SecureContext({ role: 'client', mtu: 1232, serverName: 'x', psk: PSK, ca: pki.ca }).free();
  }
});

test('ticket keys are copied: whoever wipes the list afterwards wipes only his own', () => {
  const bytes = new Uint8Array(80).fill(3);
  const [key] = readTicketKeys([bytes]);
  bytes.fill(0);
  expect(key?.name).toEqual(new Uint8Array(16).fill(3));
  expect(key?.cipherKey).toEqual(new Uint8Array(32).fill(3));
});
