/**
 * Options and payload, the part of a message that UDP and TCP share (RFC 7252 §3.1, RFC 8323 §3.2).
 *
 *      0   1   2   3   4   5   6   7
 *    +---------------+---------------+
 *    |  Option Delta | Option Length |   1 byte
 *    +---------------+---------------+
 *    /         Option Delta          /   0-2 bytes
 *    \          (extended)           \
 *    +-------------------------------+
 *    /         Option Length         /   0-2 bytes
 *    \          (extended)           \
 *    +-------------------------------+
 *    /         Option Value          /   0 or more bytes
 *    +-------------------------------+
 */
import { EMPTY } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { CoapOption } from './message.ts';
import { sortOptions } from './options.ts';

export type BodyError =
  | 'reserved-option-delta'
  | 'reserved-option-length'
  | 'option-past-end'
  | 'option-number-too-large'
  | 'empty-payload';

export interface MessageBody {
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

const PAYLOAD_MARKER = 0xff;
const NO_OPTIONS: readonly CoapOption[] = [];

/** Options and payload of `bytes[start, end)`; values and payload are views into `bytes`. */
export function decodeBody(bytes: Uint8Array, start: number, end: number): Result<MessageBody, BodyError> {
  if (start === end) return ok({ options: NO_OPTIONS, payload: EMPTY });
  const options: CoapOption[] = [];
  let number = 0;
  let at = start;
  while (at < end) {
    const head = bytes[at++] ?? 0;
    if (head === PAYLOAD_MARKER) {
      // RFC 7252 §3: "The presence of a marker followed by a zero-length payload MUST be processed as a message format error."
      if (at === end) return fail('empty-payload');
      return ok({ options, payload: bytes.subarray(at, end) });
    }
    let delta = head >> 4;
    let length = head & 15;
    if (delta === 15) return fail('reserved-option-delta');
    if (length === 15) return fail('reserved-option-length');
    if (at + extensionBytes(delta) + extensionBytes(length) > end) return fail('option-past-end');
    if (delta === 13) delta = 13 + (bytes[at++] ?? 0);
    else if (delta === 14) delta = 269 + (bytes[at++] ?? 0) * 256 + (bytes[at++] ?? 0);
    if (length === 13) length = 13 + (bytes[at++] ?? 0);
    else if (length === 14) length = 269 + (bytes[at++] ?? 0) * 256 + (bytes[at++] ?? 0);
    number += delta;
    if (number > 0xffff) return fail('option-number-too-large');
    if (at + length > end) return fail('option-past-end');
    options.push({ number, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return ok({ options, payload: EMPTY });
}

const extensionBytes = (nibble: number): number => (nibble < 13 ? 0 : nibble - 12);

/** Options in the order the wire wants them; the very same array when they are so already. */
export function inWireOrder(options: readonly CoapOption[]): readonly CoapOption[] {
  let previous = 0;
  for (const option of options) {
    if (option.number < previous) return sortOptions(options);
    previous = option.number;
  }
  return options;
}

/** Bytes that `writeBody` will write. `options` are in wire order. */
export function bodyLength(options: readonly CoapOption[], payload: Uint8Array): number {
  let length = payload.length === 0 ? 0 : 1 + payload.length;
  let previous = 0;
  for (const { number, value } of options) {
    length += 1 + extendedBytes(number - previous) + extendedBytes(value.length) + value.length;
    previous = number;
  }
  return length;
}

/** Writes options (in wire order), marker and payload at `start`; returns the end. */
export function writeBody(
  target: Uint8Array,
  start: number,
  options: readonly CoapOption[],
  payload: Uint8Array,
): number {
  let at = start;
  let previous = 0;
  for (const { number, value } of options) {
    const delta = number - previous;
    target[at++] = (nibbleOf(delta) << 4) | nibbleOf(value.length);
    at = writeExtended(target, at, delta);
    at = writeExtended(target, at, value.length);
    target.set(value, at);
    at += value.length;
    previous = number;
  }
  if (payload.length === 0) return at;
  target[at++] = PAYLOAD_MARKER;
  target.set(payload, at);
  return at + payload.length;
}

const nibbleOf = (value: number): number => (value < 13 ? value : value < 269 ? 13 : 14);

const extendedBytes = (value: number): number => (value < 13 ? 0 : value < 269 ? 1 : 2);

function writeExtended(target: Uint8Array, at: number, value: number): number {
  if (value < 13) return at;
  if (value < 269) {
    target[at] = value - 13;
    return at + 1;
  }
  if (value > 0xffff + 269) throw new RangeError(`option delta or length ${value} does not fit 16 bits`);
  target[at] = (value - 269) >> 8;
  target[at + 1] = (value - 269) & 0xff;
  return at + 2;
}
