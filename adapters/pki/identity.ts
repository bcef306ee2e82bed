/**
 * Who a peer is, derived from what it has proven (RFC 9132 §4.4.1.1, §8): the same on the signal and the data channel.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { EMPTY, toBase64Url } from '#core/base/bytes.ts';
import type { Cuid, IdentityId } from '#core/model/identifiers.ts';
import { DER_TAG, derContent, readDer, writeDer } from './der.ts';

/** Bytes of the hash that make a derived cuid (RFC 9132 §4.4.1.1: "truncated to 16 bytes"). */
const CUID_BYTES = 16;

/** Position of subjectPublicKeyInfo in a TBSCertificate that begins with its version. */
const SPKI_FIELD = 6;

/** Identity of a DER SubjectPublicKeyInfo, from a certificate or as a raw public key (RFC 7250). */
export function identityOfSpki(spki: Uint8Array): IdentityId {
  return toBase64Url(sha256(spki)) as IdentityId;
}

/** Identity of a certificate's public key; PEM or DER, the first certificate of a PEM chain. Throws on what is no certificate. */
export function identityOfCertificate(certificate: string | Uint8Array): IdentityId {
  return identityOfSpki(spkiOf(certificate));
}

/** Identity of a PSK identity as it stands in ClientKeyExchange, UTF-8 (RFC 4279 §5.1). */
export function identityOfPsk(name: string): IdentityId {
  return toBase64Url(sha256(name)) as IdentityId;
}

/** The cuid a client with this certificate should use: 22 characters (RFC 9132 §4.4.1.1). */
export function derivedCuidOfCertificate(certificate: string | Uint8Array): Cuid {
  return derivedCuid(sha256(spkiOf(certificate)));
}

/** The cuid a client with this PSK identity should use. */
export function derivedCuidOfPsk(name: string): Cuid {
  return derivedCuid(sha256(name));
}

function derivedCuid(hash: Uint8Array): Cuid {
  return toBase64Url(hash.subarray(0, CUID_BYTES)) as Cuid;
}

/**
 * The SubjectPublicKeyInfo as it stands in a certificate's DER (RFC 5280 §4.1): cut out, not made again from a parsed key,
 * which costs as much as a tenth of a handshake. Throws on what is no certificate.
 */
export function spkiOfDer(certificate: Uint8Array): Uint8Array {
  const [toBeSigned] = readDer(derContent(certificate, DER_TAG.sequence) ?? EMPTY) ?? [];
  const fields = readDer(toBeSigned?.content ?? EMPTY) ?? [];
  // version [0] is left out of certificates of version 1
  const spki = fields[fields[0]?.tag === DER_TAG.explicit(0) ? SPKI_FIELD : SPKI_FIELD - 1];
  if (spki?.tag !== DER_TAG.sequence) throw new Error('Not a certificate');
  return writeDer(spki.tag, spki.content);
}

const spkiOf = (certificate: string | Uint8Array): Uint8Array =>
  spkiOfDer(new X509Certificate(certificate).raw);

function sha256(data: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest();
}
