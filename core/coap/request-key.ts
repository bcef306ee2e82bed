/** What makes two requests belong to one block-wise transfer (RFC 7959 §2.4, §2.5). */
import { toHex } from '../base/bytes.ts';
import type { CoapOption } from './message.ts';
import { isNoCacheKey, OPTION } from './option-number.ts';

/** Differ from block to block, or are about one message only. */
const NEVER: ReadonlySet<number> = new Set([
  OPTION.block1,
  OPTION.block2,
  OPTION.observe,
  OPTION.contentFormat,
  // RFC 7959 §2.10: not on later blocks.
  OPTION.ifNoneMatch,
]);

/** Blocks of one request body: Request-Tag tells apart what else would be the same (RFC 9175 §3.3). */
export const requestBodyKey = (code: number, options: readonly CoapOption[]): string =>
  keyOf(code, options, (number) => NEVER.has(number) || isNoCacheKey(number));

/** Blocks of one response body: a later request may name its ETag, and is about no request body any more. */
export const responseBodyKey = (code: number, options: readonly CoapOption[]): string =>
  keyOf(
    code,
    options,
    (number) =>
      NEVER.has(number) || isNoCacheKey(number) || number === OPTION.etag || number === OPTION.requestTag,
  );

function keyOf(code: number, options: readonly CoapOption[], ignored: (number: number) => boolean): string {
  let key = String(code);
  for (const { number, value } of options) if (!ignored(number)) key += `,${number}:${toHex(value)}`;
  return key;
}
