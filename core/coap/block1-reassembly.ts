/** Bodies of incoming requests, put together from Block1 blocks (RFC 7959 §2.5): all of it or nothing. */
import { concatBytes, EMPTY, equalBytes } from '../base/bytes.ts';
import type { Instant } from '../base/time.ts';
import { BERT_EXPONENT, type Block, blockOffset, blockSize, readBlock } from './block-option.ts';
import { RESPONSE } from './code.ts';
import type { CoapOption, Message } from './message.ts';
import { OPTION } from './option-number.ts';
import { optionValues, uintOption } from './options.ts';
import { requestBodyKey } from './request-key.ts';

/** Unfinished bodies per session; one more pushes out the oldest, whose next block meets 4.08. */
const MAX_TRANSFERS = 4;

export type Reassembled =
  /** `options` are those of the first block. */
  | { readonly kind: 'whole'; readonly options: readonly CoapOption[]; readonly payload: Uint8Array }
  | { readonly kind: 'continue' }
  | { readonly kind: 'refused'; readonly code: number; readonly diagnostic: string };

interface Transfer {
  readonly options: readonly CoapOption[];
  readonly contentFormat: Uint8Array;
  blocks: Uint8Array[];
  length: number;
  expiresAt: Instant;
}

export class Block1Reassembly {
  readonly #maxBody: number;
  /** By key, the one least recently heard of first. */
  readonly #transfers = new Map<string, Transfer>();

  constructor(maxBody: number) {
    this.#maxBody = maxBody;
  }

  /** Takes one block; `lifetimeMs` is how long the next one may take. */
  accept(message: Message, block: Block, now: Instant, lifetimeMs: number): Reassembled {
    const { payload } = message;
    if (!hasBlockLength(block, payload.length))
      return refused(RESPONSE.badRequest, 'the payload is not as long as its Block1 option says');
    const announced = uintOption(message.options, OPTION.size1) ?? 0;
    if (announced > this.#maxBody || blockOffset(block) + payload.length > this.#maxBody)
      return refused(RESPONSE.requestEntityTooLarge, `a body has at most ${this.#maxBody} bytes`);
    if (block.number === 0 && !block.more) return { kind: 'whole', options: message.options, payload };

    const key = requestBodyKey(message.code, message.options);
    this.expire(now);
    const transfer = block.number === 0 ? begin(message) : this.#transfers.get(key);
    if (transfer === undefined)
      return refused(RESPONSE.requestEntityIncomplete, 'earlier blocks are missing');
    this.#transfers.delete(key);
    if (!equalBytes(transfer.contentFormat, contentFormatOf(message)))
      return refused(RESPONSE.requestEntityIncomplete, 'the Content-Format changed between blocks');

    if (!isRepeated(transfer, block, payload)) {
      if (blockOffset(block) !== transfer.length)
        return refused(RESPONSE.requestEntityIncomplete, 'earlier blocks are missing');
      transfer.blocks.push(payload.slice());
      transfer.length += payload.length;
    }
    if (!block.more)
      return { kind: 'whole', options: transfer.options, payload: concatBytes(transfer.blocks) };
    transfer.expiresAt = now + lifetimeMs;
    this.#transfers.set(key, transfer);
    this.#dropOldest();
    return { kind: 'continue' };
  }

  expire(now: Instant): void {
    for (const [key, { expiresAt }] of this.#transfers) if (expiresAt <= now) this.#transfers.delete(key);
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { expiresAt } of this.#transfers.values())
      if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
    return earliest;
  }

  get size(): number {
    return this.#transfers.size;
  }

  #dropOldest(): void {
    for (const key of this.#transfers.keys()) {
      if (this.#transfers.size <= MAX_TRANSFERS) return;
      this.#transfers.delete(key);
    }
  }
}

const refused = (code: number, diagnostic: string): Reassembled => ({ kind: 'refused', code, diagnostic });

const begin = (message: Message): Transfer => ({
  options: message.options,
  contentFormat: contentFormatOf(message),
  blocks: [],
  length: 0,
  expiresAt: 0,
});

const contentFormatOf = (message: Message): Uint8Array =>
  optionValues(message.options, OPTION.contentFormat)[0] ?? EMPTY;

/** RFC 7959 §2.3: with M set the payload has exactly the block size; BERT takes multiples (RFC 8323 §6). */
function hasBlockLength({ more, exponent }: Block, length: number): boolean {
  const size = blockSize(exponent);
  if (exponent === BERT_EXPONENT) return !more || (length > 0 && length % size === 0);
  return more ? length === size : length <= size;
}

/** The latest block once more, because its 2.31 was lost: a Non-confirmable one comes back under a new message id. */
function isRepeated(transfer: Transfer, block: Block, payload: Uint8Array): boolean {
  const latest = transfer.blocks.at(-1);
  if (latest === undefined || !block.more || block.number === 0) return false;
  return blockOffset(block) === transfer.length - latest.length && equalBytes(latest, payload);
}

/** The block of a request that carries a body, or undefined. */
export const block1Of = (message: Message): Block | undefined => readBlock(message.options, OPTION.block1);
