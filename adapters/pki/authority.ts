/**
 * A small certification authority for operators without one: EC P-256, PEM certificates, PKCS#8 keys (RFC 5280, RFC 9132 §7.1).
 * It holds nothing: what it makes is handed back as text, to be kept where the caller keeps secrets.
 */
import 'reflect-metadata';
import { createPrivateKey, X509Certificate as NodeCertificate, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  type Name,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import {
  encodeSubjectAlternativeName,
  SIGNAL_SERVICE,
  SUBJECT_ALTERNATIVE_NAME,
} from './subject-alternative-name.ts';

export interface CertificateAndKey {
  /** PEM; for a certificate below an intermediate the whole chain, leaf first, root left out. */
  readonly certificate: string;
  /** PEM, PKCS#8, not encrypted. */
  readonly key: string;
}

/** A CA that can sign; a root has no chain above itself. */
export interface Authority extends CertificateAndKey {
  readonly isRoot: boolean;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export type Usage = 'server' | 'client';

export interface CommonOptions {
  /** Common name of the subject. */
  readonly name: string;
  readonly validity?: Validity;
}

export interface LeafOptions extends CommonOptions {
  /** Extended key usage; the one the function is named after unless a test wants another, or `none`. */
  readonly usage?: Usage | 'none';
}

export interface ServerOptions extends LeafOptions {
  readonly dnsNames: readonly string[];
  readonly addresses?: readonly string[];
  /** SRV-IDs (RFC 4985); default `_dots-signal.<name>` for each DNS name (RFC 9132 §7.1). */
  readonly serviceNames?: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const AUTHORITY_YEARS = 10;
const LEAF_YEARS = 2;
/** Peers' clocks differ: a certificate is valid a little before it was made. */
const BACKDATE_MS = 3_600_000;
const YEAR_MS = 365.25 * 86_400_000;

export async function makeRoot(options: CommonOptions): Promise<Authority> {
  return makeAuthority(undefined, options);
}

export async function makeIntermediate(issuer: Authority, options: CommonOptions): Promise<Authority> {
  return makeAuthority(issuer, options);
}

export async function issueServerCertificate(
  issuer: Authority,
  options: ServerOptions,
): Promise<CertificateAndKey> {
  const names = encodeSubjectAlternativeName({
    dnsNames: options.dnsNames,
    addresses: options.addresses ?? [],
    serviceNames: options.serviceNames ?? options.dnsNames.map((name) => `${SIGNAL_SERVICE}.${name}`),
  });
  const extension = new Extension(SUBJECT_ALTERNATIVE_NAME, false, Uint8Array.from(names));
  return issueLeaf(issuer, { usage: 'server', ...options }, [extension]);
}

export async function issueClientCertificate(
  issuer: Authority,
  options: LeafOptions,
): Promise<CertificateAndKey> {
  return issueLeaf(issuer, { usage: 'client', ...options }, []);
}

async function makeAuthority(issuer: Authority | undefined, options: CommonOptions): Promise<Authority> {
  const made = await make(issuer, options, AUTHORITY_YEARS, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
  return { ...made, isRoot: issuer === undefined };
}

async function issueLeaf(
  issuer: Authority,
  options: LeafOptions,
  extensions: readonly Extension[],
): Promise<CertificateAndKey> {
  return make(issuer, options, LEAF_YEARS, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    ...extendedUsage(options.usage ?? 'none'),
    ...extensions,
  ]);
}

function extendedUsage(usage: Usage | 'none'): Extension[] {
  if (usage === 'none') return [];
  return [
    new ExtendedKeyUsageExtension([
      usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
    ]),
  ];
}

async function make(
  issuer: Authority | undefined,
  options: CommonOptions,
  years: number,
  extensions: readonly Extension[],
): Promise<CertificateAndKey> {
  const { notBefore, notAfter } = options.validity ?? validFor(years);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const signer = issuer === undefined ? undefined : await readSigner(issuer);
  const subject = [{ CN: [options.name] }];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: signer?.subject ?? subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...extensions,
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(signer?.publicKey ?? keys.publicKey),
    ],
  });
  const pem = `${certificate.toString('pem').trim()}\n`;
  return {
    certificate: issuer === undefined || issuer.isRoot ? pem : pem + issuer.certificate,
    key: await exportKey(keys.privateKey),
  };
}

/** The issuer's name is copied from its certificate, byte for byte the subject that chains are built by (RFC 5280 §4.1.2.4). */
async function readSigner(issuer: Authority): Promise<{
  readonly subject: Name;
  readonly key: webcrypto.CryptoKey;
  readonly publicKey: PublicKey;
}> {
  const certificate = new NodeCertificate(issuer.certificate);
  const key = createPrivateKey(issuer.key);
  if (!certificate.checkPrivateKey(key))
    throw new Error('The key of the CA does not belong to its certificate');
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return {
    subject: new X509Certificate(issuer.certificate).subjectName,
    key: await webcrypto.subtle.importKey('pkcs8', Uint8Array.from(der), ALGORITHM, false, ['sign']),
    publicKey: new PublicKey(Uint8Array.from(certificate.publicKey.export({ type: 'spki', format: 'der' }))),
  };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: Buffer.from(der), type: 'pkcs8', format: 'der' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

function validFor(years: number): Validity {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + years * YEAR_MS) };
}

/** 16 random bytes, positive and not zero (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
