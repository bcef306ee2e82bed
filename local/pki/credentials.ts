/** What stands in pki/: a CA, the server's certificate and one file pair, or one .psk, per client. */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Authority,
  type CertificateAndKey,
  issueClientCertificate,
  issueServerCertificate,
  makeRoot,
} from '#adapters/pki/authority.ts';
import { identityOfCertificate, identityOfPsk } from '#adapters/pki/identity.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import { type Home, writeFileWhole } from '../home.ts';
import { OperatorError } from '../operator-error.ts';

export interface ServerCredentials {
  readonly ca: string;
  readonly server: CertificateAndKey;
}

/** What a client proves itself with, and who that makes it. */
export type ClientCredential =
  | { readonly kind: 'certificate'; readonly identityId: IdentityId; readonly label: string }
  | {
      readonly kind: 'psk';
      readonly identityId: IdentityId;
      readonly label: string;
      readonly key: Uint8Array;
    };

/** Names the server's certificate answers to: this machine, by any of its own names. */
const SERVER_NAMES = { name: 'localhost', dnsNames: ['localhost'], addresses: ['127.0.0.1', '::1'] } as const;
const PSK_BYTES = 32;
const SECRET = 0o600;
const PUBLIC = 0o644;

/** Makes CA and server certificate unless pki/ is there: whole in a temporary folder first, so that a crash leaves nothing half done. */
export async function ensureAuthority(home: Home): Promise<void> {
  if (existsSync(home.pki)) return;
  const temporary = mkdtempSync(join(dirname(home.pki), 'pki-'));
  const authority = await makeRoot({ name: 'Tocsin CA' });
  writePair(join(temporary, 'ca'), authority);
  writePair(join(temporary, 'server'), await issueServerCertificate(authority, SERVER_NAMES));
  mkdirSync(join(temporary, 'clients'), { mode: 0o700 });
  renameSync(temporary, home.pki);
}

/** The listeners' part. Throws an OperatorError when a file is not there or not what it has to be. */
export function readServerCredentials(home: Home): ServerCredentials {
  const ca = readPki(home, 'ca.pem', (pem) => new X509Certificate(pem));
  const server = readPki(home, 'server.pem', (pem) => new X509Certificate(pem));
  const key = readPki(home, 'server.key', createPrivateKey);
  if (!server.value.checkPrivateKey(key.value))
    throw new OperatorError(
      `${join(home.pki, 'server.key')} does not belong to server.pem: put the key of that certificate there`,
    );
  return { ca: ca.pem, server: { certificate: server.pem, key: key.pem } };
}

function readPki<T>(home: Home, name: string, parse: (pem: string) => T): { pem: string; value: T } {
  const path = join(home.pki, name);
  if (!existsSync(path))
    throw new OperatorError(`${path} is not there: restore it, or remove ${home.pki} to have all made anew`);
  const pem = readFileSync(path, 'utf8');
  try {
    return { pem, value: parse(pem) };
  } catch (error) {
    throw new OperatorError(`${path} cannot be read as PEM, without a passphrase: restore it`, {
      cause: error,
    });
  }
}

/** Issues a certificate as pki/clients/NAME.pem and .key. Throws an OperatorError when the name is taken or cannot be one. */
export async function issueCertificate(home: Home, name: string): Promise<ClientCredential> {
  refuseTaken(home, name);
  writePair(clientFile(home, name), await issueClientCertificate(readAuthority(home), { name }));
  return readCertificate(home, name);
}

/** Draws a key and writes pki/clients/NAME.psk: the PSK identity, then the key in hex. Throws an OperatorError when the name is taken or cannot be one. */
export function issuePsk(home: Home, name: string): ClientCredential {
  refuseTaken(home, name);
  const path = `${clientFile(home, name)}.psk`;
  writeFileWhole(path, `${name}\n${randomBytes(PSK_BYTES).toString('hex')}\n`, SECRET);
  return readPsk(home, name);
}

export function hasCredential(home: Home, name: string): boolean {
  return ['.pem', '.key', '.psk'].some((ending) => existsSync(clientFile(home, name) + ending));
}

export function readCertificate(home: Home, name: string): ClientCredential {
  const certificate = readFileSync(`${clientFile(home, name)}.pem`, 'utf8');
  return { kind: 'certificate', identityId: identityOfCertificate(certificate), label: `CN=${name}` };
}

export function readPsk(home: Home, name: string): ClientCredential {
  const path = `${clientFile(home, name)}.psk`;
  const [identity = '', hex = ''] = readFileSync(path, 'utf8').split('\n');
  if (!/^([0-9a-f]{2}){16,64}$/i.test(hex))
    throw new OperatorError(`${path}:2: wants the key in hex, 16 to 64 bytes`);
  return { kind: 'psk', identityId: identityOfPsk(identity), label: identity, key: Buffer.from(hex, 'hex') };
}

function clientFile(home: Home, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new OperatorError(
      `${name} cannot name a client: letters, digits, dot, dash and underscore, at most 63`,
    );
  return join(home.clients, name);
}

function refuseTaken(home: Home, name: string): void {
  if (hasCredential(home, name))
    throw new OperatorError(`pki/clients already holds a credential called ${name}`);
}

function readAuthority(home: Home): Authority {
  if (!existsSync(join(home.pki, 'ca.key')))
    throw new OperatorError(
      `${home.pki} has no ca.key to sign with: issue client certificates where your CA is`,
    );
  const read = (name: string): string => readFileSync(join(home.pki, name), 'utf8');
  return { certificate: read('ca.pem'), key: read('ca.key'), isRoot: true };
}

/** The key first: a certificate is never there without it. */
function writePair(path: string, pair: CertificateAndKey): void {
  writeFileWhole(`${path}.key`, pair.key, SECRET);
  writeFileWhole(`${path}.pem`, pair.certificate, PUBLIC);
}
