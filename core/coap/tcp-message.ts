/**
 * Messages over TCP and TLS (RFC 8323 §3.2).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |  Len  |  TKL  | Extended Length (if any, as chosen by Len) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      Code     | Token (if any, TKL bytes) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   Options (if any) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |1 1 1 1 1 1 1 1|    Payload (if any) ...
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * `Len` counts options, marker and payload: below 13 itself, 13 + a byte, 269 + two bytes, 65805 + four bytes.
 */
import { EMPTY } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Message } from './message.ts';
import { type BodyError, bodyLength, decodeBody, inWireOrder, writeBody } from './option-codec.ts';

export type TcpFormatError = BodyError | 'token-length' | 'message-too-large';

/** Len, extended length and code, at most; the token is counted apart. */
const MAX_HEADER_BYTES = 6;
const MAX_TOKEN_BYTES = 8;

export function encodeTcp(message: Message): Uint8Array {
  const { code, token, payload } = message;
  if (token.length > MAX_TOKEN_BYTES) throw new RangeError(`a token of ${token.length} bytes`);
  const options = inWireOrder(message.options);
  const length = bodyLength(options, payload);
  const extended = length < 13 ? 0 : length < 269 ? 1 : length < 65_805 ? 2 : 4;
  const bytes = new Uint8Array(2 + extended + token.length + length);
  const nibble = extended === 0 ? length : extended === 4 ? 15 : 12 + extended;
  bytes[0] = (nibble << 4) | token.length;
  let rest = length - lengthBase(nibble);
  for (let at = extended; at > 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[1 + extended] = code;
  bytes.set(token, 2 + extended);
  writeBody(bytes, 2 + extended + token.length, options, payload);
  return bytes;
}

const lengthBase = (nibble: number): number =>
  nibble < 13 ? 0 : nibble === 13 ? 13 : nibble === 14 ? 269 : 65_805;

/** Upper bound of what `encodeTcp` makes of it. */
export const tcpLength = (message: Message): number =>
  MAX_HEADER_BYTES + message.token.length + bodyLength(inWireOrder(message.options), message.payload);

/**
 * Cuts a byte stream into messages. Holds at most one unfinished message; one announced as larger than `maxMessage`
 * bytes is refused as soon as its length is known, before its body is held (RFC 8323 §5.3.1).
 */
export class TcpDecoder {
  readonly #maxMessage: number;
  /** The beginning of an unfinished message; grows by doubling, so that many small pieces stay cheap. */
  #buffer = EMPTY;
  #held = 0;
  /** Held bytes from which on the message can be looked at again. */
  #wanted = 1;

  constructor(maxMessage: number) {
    this.#maxMessage = maxMessage;
  }

  /** Bytes of an unfinished message held back. */
  get held(): number {
    return this.#held;
  }

  /**
   * Calls `each` for every message completed by `bytes`, until it returns false. After an error, or such a stop, the
   * stream is not to be used any more.
   */
  push(bytes: Uint8Array, each: (message: Message) => boolean): Result<undefined, TcpFormatError> {
    let rest = bytes;
    if (this.#held > 0) {
      this.#hold(bytes);
      if (this.#held < this.#wanted) return ok(undefined);
      rest = this.#buffer.subarray(0, this.#held);
      // Messages are views: the buffer is theirs now.
      this.#buffer = EMPTY;
      this.#held = 0;
    }
    let at = 0;
    while (at < rest.length) {
      const frame = readFrame(rest, at);
      if (frame === 'incomplete') {
        this.#wanted = rest.length - at + 1;
        break;
      }
      if (frame.tokenLength > MAX_TOKEN_BYTES) return fail('token-length');
      const end = frame.bodyStart + frame.bodyLength;
      if (end - at > this.#maxMessage) return fail('message-too-large');
      if (end > rest.length) {
        this.#wanted = end - at;
        break;
      }
      const body = decodeBody(rest, frame.bodyStart, end);
      if (!body.ok) return body;
      const token =
        frame.tokenLength === 0 ? EMPTY : rest.subarray(frame.bodyStart - frame.tokenLength, frame.bodyStart);
      const { options, payload } = body.value;
      at = end;
      if (!each({ code: frame.code, token, options, payload })) return ok(undefined);
    }
    if (at < rest.length) this.#hold(rest.subarray(at));
    return ok(undefined);
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#held + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#held);
    this.#held = length;
  }
}

interface Frame {
  readonly code: number;
  readonly tokenLength: number;
  readonly bodyStart: number;
  readonly bodyLength: number;
}

function readFrame(bytes: Uint8Array, start: number): Frame | 'incomplete' {
  const first = bytes[start] ?? 0;
  const nibble = first >> 4;
  const tokenLength = first & 15;
  const extended = nibble < 13 ? 0 : nibble === 15 ? 4 : nibble - 12;
  const codeAt = start + 1 + extended;
  if (codeAt >= bytes.length) return 'incomplete';
  let bodyLength = nibble < 13 ? nibble : 0;
  for (let at = start + 1; at < codeAt; at++) bodyLength = bodyLength * 256 + (bytes[at] ?? 0);
  if (nibble >= 13) bodyLength += lengthBase(nibble);
  return { code: bytes[codeAt] ?? 0, tokenLength, bodyStart: codeAt + 1 + tokenLength, bodyLength };
}
