/**
 * What a TLS client keeps between two sessions: Node's session, and the server's certificate, which Node forgets.
 * As secret as the session itself. Layout: 4 bytes length of the certificate, certificate (DER, may be empty), session.
 */
import { concatBytes } from '#core/base/bytes.ts';

export interface Ticket {
  /** Undefined when the server was proven by PSK. */
  readonly certificate: Uint8Array | undefined;
  readonly session: Uint8Array;
}

const LENGTH_BYTES = 4;

export function sealTicket(ticket: Ticket): Uint8Array {
  const certificate = ticket.certificate ?? new Uint8Array();
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, certificate.length);
  return concatBytes([length, certificate, ticket.session]);
}

/** Undefined for what is no ticket: a full handshake follows. */
export function openTicket(bytes: Uint8Array): Ticket | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0);
  const sessionAt = LENGTH_BYTES + length;
  if (sessionAt >= bytes.length) return undefined;
  const certificate = length === 0 ? undefined : bytes.slice(LENGTH_BYTES, sessionAt);
  return { certificate, session: bytes.slice(sessionAt) };
}
