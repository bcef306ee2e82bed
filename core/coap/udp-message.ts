/**
 * Messages over UDP and DTLS (RFC 7252 §3).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |Ver| T |  TKL  |      Code     |          Message ID           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   Token (if any, TKL bytes) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   Options (if any) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |1 1 1 1 1 1 1 1|    Payload (if any) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { EMPTY } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Message } from './message.ts';
import { type BodyError, bodyLength, decodeBody, inWireOrder, writeBody } from './option-codec.ts';

export const TYPE = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const;

export interface UdpMessage extends Message {
  /** A `TYPE`. */
  readonly type: number;
  readonly messageId: number;
}

/**
 * Why a datagram is no message. `resetMessageId` is there when RFC 7252 §4.2 wants a Reset: a Confirmable message of
 * version 1. Everything else meets silence: other versions (§3), acknowledgements and resets (§4.2), and
 * Non-confirmable messages (§4.3 leaves the choice).
 */
export interface UdpFormatError {
  readonly code:
    | BodyError
    | 'too-short'
    | 'unknown-version'
    | 'token-length'
    | 'reserved-class'
    | 'not-empty'
    | 'empty-not-allowed';
  readonly resetMessageId: number | undefined;
}

const HEADER_BYTES = 4;
const MAX_TOKEN_BYTES = 8;

/** Token, option values and payload are views into `bytes`. */
export function decodeUdp(bytes: Uint8Array): Result<UdpMessage, UdpFormatError> {
  if (bytes.length < HEADER_BYTES) return fail({ code: 'too-short', resetMessageId: undefined });
  const [first = 0, code = 0, high = 0, low = 0] = bytes;
  if (first >> 6 !== 1) return fail({ code: 'unknown-version', resetMessageId: undefined });
  const type = (first >> 4) & 3;
  const messageId = (high << 8) | low;
  const malformed = (reason: UdpFormatError['code']): Result<UdpMessage, UdpFormatError> =>
    fail({ code: reason, resetMessageId: type === TYPE.confirmable ? messageId : undefined });

  const tokenLength = first & 15;
  if (code === 0) {
    if (bytes.length > HEADER_BYTES || tokenLength > 0) return malformed('not-empty');
    // RFC 7252 §4.3: "A Non-confirmable message … MUST NOT be Empty."
    if (type === TYPE.nonConfirmable) return malformed('empty-not-allowed');
    return ok({ type, code, messageId, token: EMPTY, options: [], payload: EMPTY });
  }
  if (tokenLength > MAX_TOKEN_BYTES) return malformed('token-length');
  if (HEADER_BYTES + tokenLength > bytes.length) return malformed('token-length');
  if (!isUdpClass(code >> 5)) return malformed('reserved-class');
  // RFC 7252 §4.2: a Reset is empty; an acknowledgement carries a response or nothing.
  if (type === TYPE.reset || (type === TYPE.acknowledgement && code >> 5 === 0))
    return malformed('not-empty');

  const body = decodeBody(bytes, HEADER_BYTES + tokenLength, bytes.length);
  if (!body.ok) return malformed(body.error);
  const token = tokenLength === 0 ? EMPTY : bytes.subarray(HEADER_BYTES, HEADER_BYTES + tokenLength);
  return ok({ type, code, messageId, token, options: body.value.options, payload: body.value.payload });
}

/** RFC 7252 §3: requests, success, client and server errors; every other class is reserved. */
const isUdpClass = (codeClass: number): boolean =>
  codeClass === 0 || codeClass === 2 || codeClass === 4 || codeClass === 5;

/** The datagram of a message that is not Empty. */
export function encodeUdp(type: number, messageId: number, message: Message): Uint8Array {
  const { code, token, payload } = message;
  if (token.length > MAX_TOKEN_BYTES) throw new RangeError(`a token of ${token.length} bytes`);
  const options = inWireOrder(message.options);
  const bytes = new Uint8Array(HEADER_BYTES + token.length + bodyLength(options, payload));
  writeHeader(bytes, type, token.length, code, messageId);
  bytes.set(token, HEADER_BYTES);
  writeBody(bytes, HEADER_BYTES + token.length, options, payload);
  return bytes;
}

/** An Empty message: acknowledgement, Reset, or, Confirmable, a ping (RFC 7252 §4.1). */
export function encodeEmptyUdp(type: number, messageId: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, type, 0, 0, messageId);
  return bytes;
}

function writeHeader(
  bytes: Uint8Array,
  type: number,
  tokenLength: number,
  code: number,
  messageId: number,
): void {
  bytes[0] = 0x40 | (type << 4) | tokenLength;
  bytes[1] = code;
  bytes[2] = messageId >> 8;
  bytes[3] = messageId & 0xff;
}

/** Length of the datagram that `encodeUdp` makes. */
export const udpLength = (message: Message): number =>
  HEADER_BYTES + message.token.length + bodyLength(inWireOrder(message.options), message.payload);
