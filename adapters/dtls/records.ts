/** DTLS records inside datagrams (RFC 6347 §4.1): where they begin, and how many whole ones fit a datagram. */

import { concatBytes } from '#core/base/bytes.ts';

/** Type, version, epoch, sequence number and length in front of each record. */
export const RECORD_HEADER_LENGTH = 13;

export const CONTENT_TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** Content type and epoch of a datagram's first record; undefined when it is too short to hold one. */
export function peekRecord(
  datagram: Uint8Array,
): { readonly type: number; readonly epoch: number } | undefined {
  if (datagram.length < RECORD_HEADER_LENGTH) return undefined;
  return { type: datagram[0] ?? 0, epoch: uint16(datagram, 3) };
}

/**
 * The datagram without protected records too short for any plaintext, and without what does not hold a record. OpenSSL ends
 * an association over such a record, though anyone can forge it; RFC 6347 §4.1.2.7: "invalid records SHOULD be silently
 * discarded". `shortest`: bytes that protection adds to a record.
 */
export function withoutImpossibleRecords(datagram: Uint8Array, shortest: number): Uint8Array {
  const kept: Uint8Array[] = [];
  let start = 0;
  while (start + RECORD_HEADER_LENGTH <= datagram.length) {
    const length = uint16(datagram, start + 11);
    const end = start + RECORD_HEADER_LENGTH + length;
    if (end > datagram.length) break;
    const isProtected = uint16(datagram, start + 3) > 0;
    if (!isProtected || length >= shortest) kept.push(datagram.subarray(start, end));
    start = end;
  }
  const [only] = kept;
  return only !== undefined && kept.length === 1 ? only : concatBytes(kept);
}

/**
 * Cuts a stream of whole records back into datagrams of at most `mtu` bytes: RFC 6347 §4.1.1, "Each DTLS record MUST fit
 * within a single datagram". A record above the MTU travels alone.
 */
export function packRecords(stream: Uint8Array, mtu: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  while (end + RECORD_HEADER_LENGTH <= stream.length) {
    const next = end + RECORD_HEADER_LENGTH + uint16(stream, end + 11);
    if (next > stream.length) throw new RangeError('A stream of records ends inside a record');
    if (end > start && next - start > mtu) {
      datagrams.push(stream.slice(start, end));
      start = end;
    }
    end = next;
  }
  if (end !== stream.length) throw new RangeError('A stream of records ends inside a header');
  if (end > start) datagrams.push(stream.slice(start, end));
  return datagrams;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
