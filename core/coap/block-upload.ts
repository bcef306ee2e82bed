/** A request body too large for one message, on its way in Block1 blocks (RFC 7959 §2.5). */
import { type Block, blockOffset, blockSize, makeBlock, readBlock } from './block-option.ts';
import { RESPONSE } from './code.ts';
import type { Message, Request } from './message.ts';
import { OPTION } from './option-number.ts';
import { makeUintOption, sortOptions } from './options.ts';

/** How often a body is sent anew from its first block, after 4.08 or with smaller blocks, before the answer stands. */
const MAX_RESTARTS = 2;

export class BlockUpload {
  readonly #request: Request;
  readonly #makeTag: () => Uint8Array;
  #tag: Uint8Array;
  #exponent: number;
  #offset = 0;
  #restarts = 0;

  /** `makeTag` gives a Request-Tag never used before in this session (RFC 9175 §3.4, §3.5.1). */
  constructor(request: Request, exponent: number, makeTag: () => Uint8Array) {
    this.#request = request;
    this.#exponent = exponent;
    this.#makeTag = makeTag;
    this.#tag = makeTag();
  }

  /** The block to send now; the same again until `answered` moves on. */
  block(): Omit<Message, 'token'> {
    const { code, options, payload } = this.#request;
    const end = Math.min(this.#offset + blockSize(this.#exponent), payload.length);
    const added = [makeBlock(OPTION.block1, this.#block()), { number: OPTION.requestTag, value: this.#tag }];
    if (this.#offset === 0) added.push(makeUintOption(OPTION.size1, payload.length));
    const kept = options.filter(({ number }) => this.#belongs(number));
    return {
      code,
      options: sortOptions([...kept, ...added]),
      payload: payload.subarray(this.#offset, end),
    };
  }

  /** `next`: `block` has another one to send. `final`: the response answers the whole request. */
  answered(response: Message): 'next' | 'final' {
    const echoed = readBlock(response.options, OPTION.block1);
    if (response.code === RESPONSE.requestEntityIncomplete) return this.#restart(this.#exponent);
    if (response.code === RESPONSE.requestEntityTooLarge) {
      // RFC 7959 §2.9.3: a smaller SZX "is a hint to try" that.
      return echoed !== undefined && echoed.exponent < this.#exponent
        ? this.#restart(echoed.exponent)
        : 'final';
    }
    const sent = this.#block();
    if (!sent.more || response.code >> 5 !== 2) return 'final';
    this.#offset = blockOffset(sent) + blockSize(sent.exponent);
    // RFC 7959 §2.5: the client SHOULD heed a smaller size; what is sent stays sent, and NUM counts in the new size.
    if (echoed !== undefined && echoed.exponent < this.#exponent) this.#exponent = echoed.exponent;
    return 'next';
  }

  #block(): Block {
    const size = blockSize(this.#exponent);
    const more = this.#offset + size < this.#request.payload.length;
    return { number: this.#offset / size, more, exponent: this.#exponent };
  }

  /** RFC 7959 §2.10: If-None-Match goes with the first block only; the first block creates what it forbids. */
  #belongs(number: number): boolean {
    return number !== OPTION.ifNoneMatch || this.#offset === 0;
  }

  #restart(exponent: number): 'next' | 'final' {
    if (this.#restarts >= MAX_RESTARTS) return 'final';
    this.#restarts++;
    this.#exponent = exponent;
    this.#offset = 0;
    this.#tag = this.#makeTag();
    return 'next';
  }
}
