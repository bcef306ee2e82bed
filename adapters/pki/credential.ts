/** What a handshake has proven, as `core/ports` names it: the same for DTLS and TLS. */
import { X509Certificate } from 'node:crypto';
import type { Credential } from '#core/ports/secure-session.ts';
import { identityOfPsk, identityOfSpki, spkiOfDer } from './identity.ts';

/** What the transport knows after a handshake. */
export interface Proof {
  /** DER of a certificate the handshake has verified, or that a ticket of such a handshake carries. */
  readonly certificate: Uint8Array | undefined;
  readonly pskIdentity: string | undefined;
}

/**
 * Whom the proof shows the peer to be. Undefined when that is nobody: neither certificate nor PSK, or a certificate that has
 * expired since its ticket was given (resumption does not look again). `now` in seconds since 1970.
 */
export function provenCredential(proof: Proof, now: number): Credential | undefined {
  if (proof.certificate !== undefined) {
    const credential = credentialOfCertificate(proof.certificate);
    return credential.notAfter < now ? undefined : credential;
  }
  if (proof.pskIdentity === undefined) return undefined;
  const { pskIdentity } = proof;
  return { kind: 'psk', identityId: identityOfPsk(pskIdentity), pskIdentity };
}

function credentialOfCertificate(der: Uint8Array): Extract<Credential, { kind: 'certificate' }> {
  const certificate = new X509Certificate(der);
  return {
    kind: 'certificate',
    identityId: identityOfSpki(spkiOfDer(der)),
    subject: certificate.subject.replaceAll('\n', ', '),
    notAfter: Math.floor(certificate.validToDate.getTime() / 1000),
  };
}
