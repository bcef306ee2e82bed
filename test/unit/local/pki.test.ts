import { X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOfPsk } from '#adapters/pki/identity.ts';
import { type Home, homeAt, makeHome } from '#local/home.ts';
import {
  ensureAuthority,
  issueCertificate,
  issuePsk,
  readServerCredentials,
} from '#local/pki/credentials.ts';

let home: Home;
beforeEach(() => {
  home = homeAt(join(mkdtempSync(join(tmpdir(), 'tocsin-pki-')), 'home'));
  makeHome(home);
});
afterEach(() => rmSync(join(home.folder, '..'), { recursive: true }));

const modeOf = (...path: string[]): number => statSync(join(home.folder, ...path)).mode & 0o777;

test('the home is closed to everybody else', () => {
  expect(modeOf()).toBe(0o700);
});

test('the first start makes a CA and a server certificate for this machine; keys are 0600', async () => {
  await ensureAuthority(home);
  expect(readdirSync(home.folder)).toEqual(['pki']);
  expect(readdirSync(home.pki).sort()).toEqual(['ca.key', 'ca.pem', 'clients', 'server.key', 'server.pem']);
  expect([modeOf('pki', 'ca.key'), modeOf('pki', 'server.key')]).toEqual([0o600, 0o600]);
  const { ca, server } = readServerCredentials(home);
  const certificate = new X509Certificate(server.certificate);
  expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(certificate.checkIP('::1')).toBeDefined();
  expect(server.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});

test('a second start keeps what is there', async () => {
  await ensureAuthority(home);
  const before = readServerCredentials(home);
  await ensureAuthority(home);
  expect(readServerCredentials(home)).toEqual(before);
});

test('what of it is missing, damaged or does not fit is told with the file and the fix', async () => {
  await ensureAuthority(home);
  const path = (name: string): string => join(home.pki, name);
  copyFileSync(path('ca.key'), path('server.key'));
  expect(() => readServerCredentials(home)).toThrow(/server\.key does not belong to server\.pem: put/);
  writeFileSync(path('server.key'), '-----BEGIN PRIVATE KEY-----\n');
  expect(() => readServerCredentials(home)).toThrow(/server\.key cannot be read as PEM.*: restore it/);
  rmSync(path('ca.pem'));
  expect(() => readServerCredentials(home)).toThrow(/ca\.pem is not there: restore it/);
});

test('a client gets a certificate of the CA', async () => {
  await ensureAuthority(home);
  const credential = await issueCertificate(home, 'acme-1');
  expect(credential.kind).toBe('certificate');
  expect(modeOf('pki', 'clients', 'acme-1.key')).toBe(0o600);
  const certificate = new X509Certificate(readFileSync(join(home.clients, 'acme-1.pem')));
  expect(certificate.verify(new X509Certificate(readServerCredentials(home).ca).publicKey)).toBe(true);
  expect(certificate.subject).toBe('CN=acme-1');
});

test('a PSK file holds the identity and the key in hex', async () => {
  await ensureAuthority(home);
  const credential = issuePsk(home, 'acme-psk');
  expect(credential.identityId).toBe(identityOfPsk('acme-psk'));
  const [identity, key] = readFileSync(join(home.clients, 'acme-psk.psk'), 'utf8').split('\n');
  expect(identity).toBe('acme-psk');
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(modeOf('pki', 'clients', 'acme-psk.psk')).toBe(0o600);
});

test.each(['../evil', 'a/b', '', '.hidden'])('%j cannot name a client', async (name) => {
  await ensureAuthority(home);
  expect(() => issuePsk(home, name)).toThrow('cannot name a client');
});

test('a name is not issued twice, whatever its kind', async () => {
  await ensureAuthority(home);
  issuePsk(home, 'acme');
  await expect(issueCertificate(home, 'acme')).rejects.toThrow('already holds');
});
