/**
 * Requests whose body came in Block1 blocks, and their answers: a Non-confirmable final block comes again under a new
 * message id when its answer was lost, and must neither miss the blocks before it nor do the request a second time.
 */
import { equalBytes } from '../base/bytes.ts';
import type { Instant } from '../base/time.ts';
import { BERT_EXPONENT, type Block } from './block-option.ts';
import type { ExchangeId } from './endpoint-io.ts';
import type { Message } from './message.ts';
import { observeRequest } from './observe-layer.ts';
import { requestBodyKey } from './request-key.ts';

/** Per session; one more pushes out the oldest, whose final block then meets 4.08. */
const MAX_FINISHED = 4;

export interface FinishedUpload {
  readonly exchange: ExchangeId;
  /** Undefined until there is one, and for good when the request is left unanswered. */
  readonly answer: Omit<Message, 'token'> | undefined;
}

interface Kept {
  readonly exchange: ExchangeId;
  readonly block: Block;
  readonly payload: Uint8Array;
  readonly expiresAt: Instant;
  answer: Omit<Message, 'token'> | undefined;
}

export class FinishedUploads {
  /** By the key of the body, the oldest first. */
  readonly #kept = new Map<string, Kept>();

  /** `message` is the final block that completed the request of `exchange`. */
  keep(message: Message, block: Block, exchange: ExchangeId, expiresAt: Instant): void {
    // BERT is for TCP, where no answer is lost, and its blocks are large.
    if (block.number === 0 || block.exponent === BERT_EXPONENT) return;
    // An observation belongs to the token it was granted under.
    if (observeRequest(message.code, message.options) !== undefined) return;
    const key = requestBodyKey(message.code, message.options);
    this.#kept.delete(key);
    this.#kept.set(key, { exchange, block, payload: message.payload.slice(), expiresAt, answer: undefined });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_FINISHED) break;
      this.#kept.delete(oldest);
    }
  }

  answered(exchange: ExchangeId, answer: Omit<Message, 'token'>): void {
    for (const kept of this.#kept.values()) if (kept.exchange === exchange) kept.answer = answer;
  }

  /** The request that this block, with these very bytes, has completed before. A first block begins another one. */
  find(message: Message, block: Block, now: Instant): FinishedUpload | undefined {
    this.expire(now);
    const key = requestBodyKey(message.code, message.options);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (block.number === 0) {
      this.#kept.delete(key);
      return undefined;
    }
    const { number, more, exponent } = kept.block;
    const sameBlock = block.number === number && block.more === more && block.exponent === exponent;
    return sameBlock && equalBytes(kept.payload, message.payload) ? kept : undefined;
  }

  expire(now: Instant): void {
    for (const [key, { expiresAt }] of this.#kept) if (expiresAt <= now) this.#kept.delete(key);
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { expiresAt } of this.#kept.values())
      if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
    return earliest;
  }
}
