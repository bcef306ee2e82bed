/**
 * The first thing a stranger sends: a ClientHello, or the first fragment of one (RFC 6347 §4.2.1, §4.2.2; RFC 5246 §7.4.1.2).
 * Read before there is any state for the sender, so only as far as the cookie.
 */
import { CONTENT_TYPE, RECORD_HEADER_LENGTH } from './records.ts';

const HANDSHAKE_HEADER_LENGTH = 12;
const CLIENT_HELLO = 1;
const RANDOM_LENGTH = 32;
const VERSION_LENGTH = 2;
const LONGEST_SESSION_ID = 32;

export type ClientHello =
  /** From the beginning up to the cookie at least; extensions may be in later fragments. */
  | {
      readonly part: 'first';
      /** Length of its record, with the header; more records may follow in the datagram. */
      readonly recordLength: number;
      /** 6 bytes, echoed by a HelloVerifyRequest. */
      readonly recordSequence: Uint8Array;
      readonly random: Uint8Array;
      /** Version, random and session id: what a cookie vouches for. */
      readonly claim: Uint8Array;
      readonly cookie: Uint8Array;
    }
  /** A continuation: of use only to a handshake that is under way. */
  | { readonly part: 'later' };

/** Whether the datagram begins with an unencrypted ClientHello, well-formed or not. */
export function looksLikeClientHello(datagram: Uint8Array): boolean {
  return (
    datagram[0] === CONTENT_TYPE.handshake &&
    datagram[3] === 0 &&
    datagram[4] === 0 &&
    datagram[RECORD_HEADER_LENGTH] === CLIENT_HELLO
  );
}

/** Undefined for anything that is not a ClientHello in epoch 0 with consistent lengths. */
export function parseClientHello(datagram: Uint8Array): ClientHello | undefined {
  if (!looksLikeClientHello(datagram) || datagram[1] !== 0xfe) return undefined;
  const recordEnd = RECORD_HEADER_LENGTH + uint16(datagram, 11);
  const bodyStart = RECORD_HEADER_LENGTH + HANDSHAKE_HEADER_LENGTH;
  if (recordEnd > datagram.length || bodyStart > recordEnd) return undefined;

  const messageLength = uint24(datagram, 14);
  const fragmentOffset = uint24(datagram, 19);
  const fragmentLength = uint24(datagram, 22);
  const bodyEnd = bodyStart + fragmentLength;
  if (bodyEnd > recordEnd || fragmentOffset + fragmentLength > messageLength) return undefined;
  if (fragmentOffset > 0) return { part: 'later' };

  const body = datagram.subarray(bodyStart, bodyEnd);
  const sessionIdAt = VERSION_LENGTH + RANDOM_LENGTH;
  const sessionIdLength = body[sessionIdAt];
  if (sessionIdLength === undefined || sessionIdLength > LONGEST_SESSION_ID) return undefined;
  const claimEnd = sessionIdAt + 1 + sessionIdLength;
  const cookieLength = body[claimEnd];
  if (cookieLength === undefined || claimEnd + 1 + cookieLength > body.length) return undefined;
  return {
    part: 'first',
    recordLength: recordEnd,
    recordSequence: datagram.subarray(5, 11),
    random: body.subarray(VERSION_LENGTH, sessionIdAt),
    claim: body.subarray(0, claimEnd),
    cookie: body.subarray(claimEnd + 1, claimEnd + 1 + cookieLength),
  };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | uint16(bytes, at + 1);
}
