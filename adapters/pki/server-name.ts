/**
 * Is this the server that was meant (RFC 9132 §7.1, RFC 6125 §6)? DNS-ID, SRV-ID or IP address, from the subjectAltName only:
 * no common name, no URI-ID, no wildcard.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { presentsServiceName } from './subject-alternative-name.ts';

/** `expected`: the configured name, or an IP literal. Throws on bytes that are no certificate. */
export function certificateNames(der: Uint8Array, expected: string): boolean {
  const certificate = new X509Certificate(der);
  if (isIP(expected) !== 0) return certificate.checkIP(expected) !== undefined;
  const host = certificate.checkHost(expected, { subject: 'never', wildcards: false });
  return host !== undefined || presentsServiceName(der, expected);
}
