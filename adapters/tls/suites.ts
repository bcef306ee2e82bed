/**
 * Cipher suites in order of preference, by OpenSSL's names (RFC 9132 §7.1, RFC 7525 §4.2): AEAD with ephemeral keys.
 * Whoever offers PSK suites has a PSK, often while offering certificate suites it has no certificate for: PSK goes first.
 */
const PSK = [
  // OpenSSL has no ECDHE-PSK with AES-GCM; with CBC suites one forged record ends a DTLS association there.
  'ECDHE-PSK-CHACHA20-POLY1305',
  'PSK-AES128-GCM-SHA256',
  'PSK-AES256-GCM-SHA384',
  'PSK-CHACHA20-POLY1305',
  'PSK-AES128-CCM',
];

const CERTIFICATE = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-CCM',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** Of TLS 1.3, which has no other kind. */
export const TLS_1_3_SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

export const GROUPS = 'X25519:P-256:P-384';

/** Sessions of one service are for that service; without it, resumption with client certificates is refused. */
export const SESSION_ID_CONTEXT = 'dots-signal';

/** A day: tickets outlive a quiet night, and are honoured as long as their key is. */
export const TICKET_SECONDS = 86_400;

/** (D)TLS 1.2 suites for the ways of proving oneself there are. Throws when there is none. */
export function suitesFor(ways: { readonly psk: boolean; readonly certificate: boolean }): readonly string[] {
  const suites = [...(ways.psk ? PSK : []), ...(ways.certificate ? CERTIFICATE : [])];
  if (suites.length === 0)
    throw new Error('Without certificates and without a PSK nobody can be authenticated');
  return suites;
}
