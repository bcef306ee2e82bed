/** A test PKI in memory: a CA, a server for loopback, two clients, and certificates that must be refused. */
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  type Name,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import {
  type Authority,
  type CertificateAndKey,
  issueClientCertificate,
  issueServerCertificate,
  makeIntermediate,
  makeRoot,
} from '#adapters/pki/authority.ts';

export interface TestPki {
  readonly authority: Authority;
  /** PEM of the CA certificate: what both sides trust. */
  readonly ca: string;
  /** For dots.test, localhost, 127.0.0.1 and ::1. */
  readonly server: CertificateAndKey;
  readonly client: CertificateAndKey;
  readonly otherClient: CertificateAndKey;
}

export const TEST_SERVER_NAME = 'dots.test';

const DAY_MS = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

export async function makeTestPki(): Promise<TestPki> {
  const authority = await makeRoot({ name: 'Test CA' });
  const [server, client, otherClient] = await Promise.all([
    issueServerCertificate(authority, {
      name: TEST_SERVER_NAME,
      dnsNames: [TEST_SERVER_NAME, 'localhost'],
      addresses: ['127.0.0.1', '::1'],
    }),
    issueClientCertificate(authority, { name: 'client-1' }),
    issueClientCertificate(authority, { name: 'client-2' }),
  ]);
  return { authority, ca: authority.certificate, server, client, otherClient };
}

/** Client certificates a server must refuse, each for one reason. */
export async function makeRefusedClients(authority: Authority): Promise<{
  readonly expired: CertificateAndKey;
  readonly notYetValid: CertificateAndKey;
  readonly wrongUsage: CertificateAndKey;
  readonly unknownAuthority: CertificateAndKey;
  readonly selfSigned: CertificateAndKey;
}> {
  const [expired, notYetValid, wrongUsage, foreign, selfSigned] = await Promise.all([
    issueClientCertificate(authority, {
      name: 'expired',
      validity: { notBefore: daysFromNow(-10), notAfter: daysFromNow(-1) },
    }),
    issueClientCertificate(authority, {
      name: 'not-yet-valid',
      validity: { notBefore: daysFromNow(1), notAfter: daysFromNow(10) },
    }),
    issueClientCertificate(authority, { name: 'wrong-usage', usage: 'server' }),
    makeRoot({ name: 'Foreign CA' }),
    makeRoot({ name: 'self-signed' }),
  ]);
  const unknownAuthority = await issueClientCertificate(foreign, { name: 'foreign' });
  return { expired, notYetValid, wrongUsage, unknownAuthority, selfSigned };
}

/** A client certificate below `depth` intermediates: its flight does not fit one datagram. */
export async function makeLongChainClient(authority: Authority, depth: number): Promise<CertificateAndKey> {
  let issuer = authority;
  for (let level = 1; level <= depth; level++)
    issuer = await makeIntermediate(issuer, { name: `Intermediate ${level}` });
  return issueClientCertificate(issuer, { name: 'long-chain' });
}

/** A server certificate with names no DOTS client may accept and our own CA would not issue: CN, URI and wildcard. */
export async function makeMisnamedServer(authority: Authority, name: string): Promise<CertificateAndKey> {
  const der = createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' });
  return craftServer(name, {
    names: [
      { type: 'url', value: `https://${name}/` },
      { type: 'dns', value: name.replace(/^[^.]+/, '*') },
    ],
    issuer: new X509Certificate(authority.certificate).subjectName,
    signingKey: await webcrypto.subtle.importKey('pkcs8', Uint8Array.from(der), ALGORITHM, false, ['sign']),
  });
}

/** A server certificate that only vouches for itself. */
export async function makeSelfSignedServer(name: string): Promise<CertificateAndKey> {
  return craftServer(name, { names: [{ type: 'dns', value: name }] });
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function craftServer(
  name: string,
  by: {
    readonly names: JsonGeneralNames;
    readonly issuer?: Name;
    readonly signingKey?: webcrypto.CryptoKey;
  },
): Promise<CertificateAndKey> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: by.issuer ?? `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: by.signingKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(by.names),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' });
  return {
    certificate: certificate.toString('pem'),
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
