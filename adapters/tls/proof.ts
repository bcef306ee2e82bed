/** What a completed TLS handshake shows about the peer. */
import type { TLSSocket } from 'node:tls';
import type { Proof } from '../pki/credential.ts';
import { pskIdentityOfSession } from './psk.ts';

const NOTHING: Proof = { certificate: undefined, pskIdentity: undefined };

/**
 * Of a client, at the server. A certificate counts only when its chain was verified, in this handshake or in the one its
 * ticket comes from; a PSK identity only when the suite is one of PSK.
 */
export function proofOfClient(socket: TLSSocket): Proof {
  const certificate = socket.getPeerX509Certificate()?.raw;
  if (certificate !== undefined) return socket.authorized ? { ...NOTHING, certificate } : NOTHING;
  const session = hasPskSuite(socket) ? socket.getSession() : undefined;
  const pskIdentity = session === undefined ? undefined : pskIdentityOfSession(session);
  return { ...NOTHING, pskIdentity };
}

/** `PSK-AES128-GCM-SHA256`, `ECDHE-PSK-CHACHA20-POLY1305`: suites that TLS 1.3 does not have. */
export function hasPskSuite(socket: TLSSocket): boolean {
  return /(^|-)PSK-/.test(socket.getCipher().name);
}
