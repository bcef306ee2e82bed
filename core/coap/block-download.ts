/** A response body that comes in Block2 blocks, fetched one after the other (RFC 7959 §2.4). */
import { concatBytes, EMPTY, equalBytes } from '../base/bytes.ts';
import { BERT_EXPONENT, type Block, blockOffset, blockSize, makeBlock, readBlock } from './block-option.ts';
import { METHOD, RESPONSE } from './code.ts';
import type { Message, Request, Response } from './message.ts';
import { OPTION } from './option-number.ts';
import { optionValues, sortOptions } from './options.ts';

/** How often a body that changed under way is fetched anew. */
const MAX_RESTARTS = 3;

/** Of the first request only: its body, its registration, and what the later ones say of the blocks themselves. */
const NOT_REPEATED: ReadonlySet<number> = new Set([
  OPTION.observe,
  OPTION.block1,
  OPTION.block2,
  OPTION.size1,
  OPTION.size2,
  OPTION.etag,
  OPTION.ifMatch,
  OPTION.ifNoneMatch,
  OPTION.contentFormat,
]);

export type Progress = 'next' | 'whole' | 'malformed-response' | 'too-large';

export class BlockDownload {
  readonly #request: Request;
  readonly #maxBody: number;
  #first: Message | undefined;
  #etag: Uint8Array | undefined;
  #blocks: Uint8Array[] = [];
  #length = 0;
  #exponent: number;
  #restarts = 0;
  /**
   * The body's ETag goes along, as RFC 9132 §4.4.2 wants, until a server stumbles over it: general CoAP servers take it
   * for a validation, or for another request than the one whose blocks they keep.
   */
  #namesEtag = true;

  /** `first` carries block 0. */
  constructor(request: Request, first: Message, maxBody: number) {
    this.#request = request;
    this.#maxBody = maxBody;
    this.#exponent = blockOf(first)?.exponent ?? 0;
    this.#begin(first);
  }

  /** The request for the next block, or, after a restart, for the first one. */
  request(): Omit<Message, 'token'> {
    const size = blockSize(this.#exponent);
    const block: Block = { number: this.#length / size, more: false, exponent: this.#exponent };
    const options = this.#request.options.filter(({ number }) => !NOT_REPEATED.has(number));
    options.push(makeBlock(OPTION.block2, block));
    if (this.#etag !== undefined && this.#namesEtag) options.push({ number: OPTION.etag, value: this.#etag });
    return { code: this.#request.code, options: sortOptions(options), payload: EMPTY };
  }

  /** Takes the response to `request`. */
  take(message: Message): Progress {
    if (message.code === RESPONSE.valid && this.#namesEtag) return this.#restart();
    // The server has the body no longer, or it has become shorter.
    if (message.code === RESPONSE.requestEntityIncomplete || message.code === RESPONSE.badRequest)
      return this.#restart();
    if (this.#first === undefined || message.code >> 5 !== 2) {
      this.#begin(message);
      if (startsBody(message)) return 'next';
      return isStrayBlock(message) ? 'malformed-response' : 'whole';
    }
    const block = blockOf(message);
    if (block === undefined || blockOffset(block) !== this.#length || !isFull(message, block))
      return 'malformed-response';
    // RFC 7959 §2.4: blocks of different ETags are not put together.
    if (!equalBytes(this.#etag ?? EMPTY, etagOf(message) ?? EMPTY)) return this.#restart();
    this.#blocks.push(message.payload);
    this.#length += message.payload.length;
    this.#exponent = block.exponent;
    if (this.#length > this.#maxBody) return 'too-large';
    return block.more ? 'next' : 'whole';
  }

  /** The whole response: of the first block, with the payloads of all. */
  whole(): Response {
    const { code = 0, options = [] } = this.#first ?? {};
    return {
      code,
      options: options.filter(({ number }) => number !== OPTION.block2 && number !== OPTION.size2),
      payload: concatBytes(this.#blocks),
    };
  }

  #begin(message: Message): void {
    this.#first = message;
    this.#etag = etagOf(message);
    this.#exponent = blockOf(message)?.exponent ?? this.#exponent;
    this.#blocks = [message.payload];
    this.#length = message.payload.length;
  }

  #restart(): Progress {
    // Only a retrieval may be done again (RFC 7252 §5.1).
    const retrieves = this.#request.code === METHOD.get || this.#request.code === METHOD.fetch;
    if (!retrieves || this.#restarts >= MAX_RESTARTS) return 'malformed-response';
    this.#restarts++;
    this.#namesEtag = false;
    this.#first = undefined;
    this.#etag = undefined;
    this.#blocks = [];
    this.#length = 0;
    return 'next';
  }
}

/** The first block of a body of which more is to come. */
export function startsBody(message: Message): boolean {
  const block = blockOf(message);
  return block?.more === true && block.number === 0 && isFull(message, block);
}

/** A block that cannot answer a request for the whole. */
export function isStrayBlock(message: Message): boolean {
  const block = blockOf(message);
  return block !== undefined && (block.number > 0 || (block.more && !isFull(message, block)));
}

const blockOf = (message: Message): Block | undefined => readBlock(message.options, OPTION.block2);

const etagOf = (message: Message): Uint8Array | undefined => optionValues(message.options, OPTION.etag)[0];

/** RFC 7959 §2.3: with M set the payload has exactly the block size; BERT has multiples of it. */
function isFull({ payload }: Message, { more, exponent }: Block): boolean {
  const size = blockSize(exponent);
  if (!more) return true;
  return exponent === BERT_EXPONENT
    ? payload.length > 0 && payload.length % size === 0
    : payload.length === size;
}
