/** What a client proves itself with, and the cuid that follows from it (RFC 9132 §4.4.1.1). */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { derivedCuidOfCertificate, derivedCuidOfPsk } from '#adapters/pki/identity.ts';
import type { Cuid } from '#core/model/identifiers.ts';

export interface CredentialFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly pskIdentity?: string | undefined;
  /** Its last line is the key in hexadecimal; a line before it, if any, is the identity. */
  readonly pskKeyFile?: string | undefined;
  /** The name the server's certificate must carry; its host when absent. */
  readonly serverName?: string | undefined;
}

export interface Credentials {
  /** As the handshakes take it: PEM texts, never paths. */
  readonly handshake: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly psk?: { readonly identity: string; readonly key: Uint8Array };
    readonly serverName?: string;
  };
  readonly derivedCuid: Cuid;
  /** Until when the certificate is valid; absent with a pre-shared key. */
  readonly validTo?: Date;
}

/** What is wrong with files or options, and the fix: for the person at the terminal. */
export class CredentialError extends Error {}

/** Reads the files, and looks at what is in them. Throws a `CredentialError`. */
export function readCredentials(files: CredentialFiles): Credentials {
  const serverName = files.serverName === undefined ? {} : { serverName: files.serverName };
  if (files.pskKeyFile !== undefined) {
    const psk = readPsk(files.pskKeyFile, files.pskIdentity);
    const ca = files.ca === undefined ? {} : { ca: readCertificate(files.ca, '--ca').pem };
    return { handshake: { psk, ...ca, ...serverName }, derivedCuid: derivedCuidOfPsk(psk.identity) };
  }
  if (files.pskIdentity !== undefined) throw new CredentialError('--psk-identity needs --psk-key-file');
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map((name) => {
    const path = files[name];
    if (path === undefined)
      throw new CredentialError(`--${name} is missing: give --ca, --cert and --key, or --psk-key-file`);
    return path;
  }) as [string, string, string];
  const own = readCertificate(cert, '--cert');
  const secret = readKey(key);
  if (!own.certificate.checkPrivateKey(secret.key))
    throw new CredentialError(`--key: ${key} does not belong to the certificate in ${cert}`);
  return {
    handshake: { ca: readCertificate(ca, '--ca').pem, cert: own.pem, key: secret.pem, ...serverName },
    derivedCuid: derivedCuidOfCertificate(own.pem),
    validTo: own.certificate.validToDate,
  };
}

/** The certificate is the first of the file. */
function readCertificate(path: string, option: string): { pem: string; certificate: X509Certificate } {
  const pem = readPem(path, option);
  try {
    return { pem, certificate: new X509Certificate(pem) };
  } catch (error) {
    throw new CredentialError(`${option}: ${path} holds no certificate`, { cause: error });
  }
}

function readKey(path: string): { pem: string; key: KeyObject } {
  const pem = readPem(path, '--key');
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch (error) {
    throw new CredentialError(`--key: ${path} holds no private key that can be read without a passphrase`, {
      cause: error,
    });
  }
}

function readPem(path: string, option: string): string {
  const text = readText(path, option);
  if (!text.includes('-----BEGIN ')) throw new CredentialError(`${option}: ${path} is not a PEM file`);
  return text;
}

function readPsk(path: string, identity: string | undefined): { identity: string; key: Uint8Array } {
  const lines = readText(path, '--psk-key-file')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const key = lines.at(-1) ?? '';
  const name = identity ?? (lines.length > 1 ? lines[0] : undefined);
  if (name === undefined)
    throw new CredentialError(`--psk-identity is missing, and ${path} does not name one`);
  if (!/^([0-9a-fA-F]{2}){16,64}$/.test(key)) {
    throw new CredentialError(
      `--psk-key-file: the last line of ${path} is not a key of 16 to 64 bytes in hexadecimal`,
    );
  }
  return { identity: name, key: Uint8Array.from(Buffer.from(key, 'hex')) };
}

function readText(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CredentialError(`${option}: cannot read ${path} (${code ?? String(error)})`, { cause: error });
  }
}
