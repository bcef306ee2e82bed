/** DTLS records inside datagrams (RFC 6347 §4.1): where they begin, and how many whole ones fit a datagram. */

/** Type, version, epoch, sequence number and length in front of each record. */
export const RECORD_HEADER_LENGTH = 13;

export const CONTENT_TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** Content type and epoch of a datagram's first record; undefined when it is too short to hold one. */
export function peekRecord(
  datagram: Uint8Array,
): { readonly type: number; readonly epoch: number } | undefined {
  if (datagram.length < RECORD_HEADER_LENGTH) return undefined;
  return { type: datagram[0] ?? 0, epoch: ((datagram[3] ?? 0) << 8) | (datagram[4] ?? 0) };
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
    const next = end + RECORD_HEADER_LENGTH + (((stream[end + 11] ?? 0) << 8) | (stream[end + 12] ?? 0));
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
