/** Pre-shared keys (RFC 4279). */
import { DER_TAG, derContent, readDer } from '../pki/der.ts';

export interface Psk {
  /** UTF-8 text, at most 128 bytes (RFC 4279 §5.3). */
  readonly identity: string;
  /** At most 64 bytes (RFC 4279 §5.3). */
  readonly key: Uint8Array;
}

/** Position of the PSK identity in OpenSSL's SSL_SESSION (ssl/ssl_asn1.c). */
const PSK_IDENTITY_FIELD = 8;

/**
 * The PSK identity a TLS 1.2 session was made with, from its DER: the handshake's own record of it, also after resumption,
 * which does not ask for the key again.
 */
export function pskIdentityOfSession(session: Uint8Array): string | undefined {
  const fields = readDer(derContent(session, DER_TAG.sequence) ?? new Uint8Array()) ?? [];
  const field = fields.find(({ tag }) => tag === DER_TAG.explicit(PSK_IDENTITY_FIELD));
  const bytes = derContent(field?.content, DER_TAG.octetString);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
