import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueClientCertificate, makeRoot } from '#adapters/pki/authority.ts';
import { derivedCuidOfCertificate } from '#adapters/pki/identity.ts';
import { CredentialError, readCredentials } from '#agent-edge/client/credentials.ts';

const NOT_AFTER = new Date('2025-01-01T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'tocsin-credentials-'));
const at = (name: string): string => join(folder, name);
let certificate: string;

beforeAll(async () => {
  const root = await makeRoot({ name: 'Test CA' });
  const validity = { notBefore: new Date('2024-01-01T00:00:00Z'), notAfter: NOT_AFTER };
  const own = await issueClientCertificate(root, { name: 'edge', validity });
  const other = await issueClientCertificate(root, { name: 'other' });
  certificate = own.certificate;
  const files = {
    'ca.pem': root.certificate,
    'own.pem': own.certificate,
    'own.key': own.key,
    'other.key': other.key,
    'empty.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'notes.txt': 'the key is under the mat\n',
    'short.psk': 'edge\n0f0f\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = { ca: 'ca.pem', cert: 'own.pem', key: 'own.key' };
const read = (names: Readonly<Record<string, string>>): ReturnType<typeof readCredentials> =>
  readCredentials(Object.fromEntries(Object.entries(names).map(([name, file]) => [name, at(file)])));

test('what is read is the texts, the cuid that follows, and until when it is good', () => {
  const { handshake, derivedCuid, validTo } = read(GOOD);
  expect(handshake.cert).toBe(certificate);
  expect(derivedCuid).toBe(derivedCuidOfCertificate(certificate));
  expect(validTo).toEqual(NOT_AFTER);
});

test.each<[Readonly<Record<string, string>>, RegExp]>([
  [{ ...GOOD, key: 'other.key' }, /^--key: .*other\.key does not belong to the certificate in .*own\.pem$/],
  [{ ...GOOD, key: 'own.pem' }, /^--key: .*own\.pem holds no private key/],
  [{ ...GOOD, cert: 'empty.pem' }, /^--cert: .*empty\.pem holds no certificate$/],
  [{ ...GOOD, ca: 'own.key' }, /^--ca: .*own\.key holds no certificate$/],
  [{ ...GOOD, ca: 'notes.txt' }, /^--ca: .*notes\.txt is not a PEM file$/],
  [{ ...GOOD, ca: 'nothing' }, /^--ca: cannot read .*nothing \(ENOENT\)$/],
  [{ ca: 'ca.pem', cert: 'own.pem' }, /^--key is missing/],
  [{ pskKeyFile: 'short.psk' }, /^--psk-key-file: .* not a key of 16 to 64 bytes/],
])('%j is told by option and file before anything is sent', (names, message) => {
  expect(() => read(names)).toThrow(CredentialError);
  expect(() => read(names)).toThrow(message);
});
