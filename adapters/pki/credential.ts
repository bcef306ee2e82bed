/** What a handshake has proven, as `core/ports` names it: the same for DTLS and TLS. */
import { X509Certificate } from 'node:crypto';
import type { Credential } from '#core/ports/secure-session.ts';
import { identityOfPsk, identityOfSpki } from './identity.ts';

/** Of a certificate the handshake has verified. Throws on bytes that are no certificate. */
export function credentialOfCertificate(der: Uint8Array): Credential {
  const certificate = new X509Certificate(der);
  return {
    kind: 'certificate',
    identityId: identityOfSpki(certificate.publicKey.export({ type: 'spki', format: 'der' })),
    subject: certificate.subject.replaceAll('\n', ', '),
    notAfter: Math.floor(certificate.validToDate.getTime() / 1000),
  };
}

export function credentialOfPsk(pskIdentity: string): Credential {
  return { kind: 'psk', identityId: identityOfPsk(pskIdentity), pskIdentity };
}
