/** Response bodies too large for one message, kept while the peer fetches them block by block (RFC 7959 §2.4). */
import type { Instant } from '../base/time.ts';
import {
  BERT_EXPONENT,
  type Block,
  blockOffset,
  blockSize,
  MAX_EXPONENT,
  makeBlock,
} from './block-option.ts';
import type { CoapOption, Response } from './message.ts';
import { OPTION } from './option-number.ts';
import { makeUintOption, sortOptions } from './options.ts';

/** Bodies per session; one more pushes out the one asked for least recently, to be made anew by its resource. */
const MAX_BODIES = 4;

export class Block2Cache {
  readonly #bodies = new Map<string, { readonly body: Response; expiresAt: Instant }>();

  set(key: string, body: Response, expiresAt: Instant): void {
    this.#bodies.delete(key);
    this.#bodies.set(key, { body, expiresAt });
    for (const oldest of this.#bodies.keys()) {
      if (this.#bodies.size <= MAX_BODIES) break;
      this.#bodies.delete(oldest);
    }
  }

  /** The body, kept until `expiresAt` from now on. */
  get(key: string, now: Instant, expiresAt: Instant): Response | undefined {
    this.expire(now);
    const found = this.#bodies.get(key);
    if (found === undefined) return undefined;
    this.set(key, found.body, expiresAt);
    return found.body;
  }

  expire(now: Instant): void {
    for (const [key, { expiresAt }] of this.#bodies) if (expiresAt <= now) this.#bodies.delete(key);
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { expiresAt } of this.#bodies.values())
      if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
    return earliest;
  }

  get size(): number {
    return this.#bodies.size;
  }
}

/** A response whose blocks all carry an ETag: its own, or one made of its content. */
export function withEtag(response: Response): Response {
  if (response.options.some(({ number }) => number === OPTION.etag)) return response;
  const etag: CoapOption = { number: OPTION.etag, value: etagOf(response.payload) };
  return { ...response, options: sortOptions([...response.options, etag]) };
}

/**
 * The block of `body` that begins where `asked` does, of `exponent` or, when that is smaller, of the size asked for;
 * undefined beyond the end. `room` bounds a BERT block, in bytes.
 */
export function cutBlock(body: Response, asked: Block, exponent: number, room: number): Response | undefined {
  const start = blockOffset(asked);
  if (start >= body.payload.length && start > 0) return undefined;
  const bert = asked.exponent === BERT_EXPONENT && exponent === MAX_EXPONENT;
  const used = bert ? BERT_EXPONENT : Math.min(asked.exponent, exponent);
  const size = blockSize(used);
  const length = bert ? Math.max(size, Math.floor(room / size) * size) : size;
  const end = Math.min(start + length, body.payload.length);
  const block = { number: start / size, more: end < body.payload.length, exponent: used };
  const options = [...body.options, makeBlock(OPTION.block2, block)];
  if (start === 0) options.push(makeUintOption(OPTION.size2, body.payload.length));
  return { code: body.code, options: sortOptions(options), payload: body.payload.subarray(start, end) };
}

/**
 * 64 bits over the content: FNV-1a and a second multiplicative hash. The same content always has the same ETag, so that
 * a body dropped here and made anew continues where the peer left off.
 */
function etagOf(content: Uint8Array): Uint8Array {
  let first = 0x811c9dc5;
  let second = content.length;
  for (const byte of content) {
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second ^ byte, 0x5bd1e995);
    second ^= second >>> 15;
  }
  const etag = new Uint8Array(8);
  for (let index = 0; index < 4; index++) {
    etag[index] = first >>> (8 * index);
    etag[index + 4] = second >>> (8 * index);
  }
  return etag;
}
