/**
 * The value of Block1 and Block2 (RFC 7959 §2.2): NUM, M and SZX, here `number`, `more` and `exponent`.
 *
 *      0                   1                   2
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                   NUM                 |M| SZX |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import type { CoapOption } from './message.ts';
import { makeUintOption, uintOption } from './options.ts';

export interface Block {
  /** Place of the block, in blocks of `blockSize(exponent)`. */
  readonly number: number;
  readonly more: boolean;
  /** 0 to 6; 7 is BERT, over TCP only (RFC 8323 §6). */
  readonly exponent: number;
}

export const MAX_EXPONENT = 6;
export const BERT_EXPONENT = 7;
const MAX_BLOCK_NUMBER = 0xfffff;

/** Unit of the block number in bytes; a BERT block holds one or more of them. */
export const blockSize = (exponent: number): number => (exponent === BERT_EXPONENT ? 1024 : 16 << exponent);

export const blockOffset = (block: Block): number => block.number * blockSize(block.exponent);

/** The option as a block, or undefined when it is absent. Its length has been checked to be at most 3. */
export function readBlock(options: readonly CoapOption[], option: number): Block | undefined {
  const value = uintOption(options, option);
  if (value === undefined) return undefined;
  return { number: value >>> 4, more: (value & 8) !== 0, exponent: value & 7 };
}

export function makeBlock(option: number, { number, more, exponent }: Block): CoapOption {
  if (number > MAX_BLOCK_NUMBER) throw new RangeError(`block number ${number}`);
  return makeUintOption(option, number * 16 + (more ? 8 : 0) + exponent);
}

/** The largest exponent whose block fits `room` bytes, at most `limit`; undefined when not even 16 bytes do. */
export function fittingExponent(room: number, limit = MAX_EXPONENT): number | undefined {
  for (let exponent = Math.min(limit, MAX_EXPONENT); exponent >= 0; exponent--)
    if (blockSize(exponent) <= room) return exponent;
  return undefined;
}
