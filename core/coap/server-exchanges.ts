/**
 * Incoming requests, from the first block to the answer: bodies put together and cut (RFC 7959), observers kept
 * (RFC 7641). What goes up is whole; what comes down is made to fit.
 */
import { EMPTY, equalBytes, utf8Encode } from '../base/bytes.ts';
import type { Instant } from '../base/time.ts';
import {
  BERT_EXPONENT,
  type Block,
  blockSize,
  fittingExponent,
  MAX_EXPONENT,
  makeBlock,
  readBlock,
} from './block-option.ts';
import { Block1Reassembly, block1Of } from './block1-reassembly.ts';
import { Block2Cache, cutBlock, withEtag } from './block2-cache.ts';
import { METHOD, RESPONSE } from './code.ts';
import type { ExchangeId } from './endpoint-io.ts';
import { type FinishedUpload, FinishedUploads } from './finished-uploads.ts';
import type { CoapOption, Message, Response } from './message.ts';
import { Observers, observeRequest } from './observe-layer.ts';
import { OPTION } from './option-number.ts';
import { makeUintOption, sortOptions } from './options.ts';
import { responseBodyKey } from './request-key.ts';
import type { Emit, Observer, Origin, Transport } from './stack.ts';

/** Requests handed up and not answered yet, per session, as many as are told from duplicates; beyond it 5.03. */
const MAX_OPEN = 256;
const BUSY_MAX_AGE_SECONDS = 2;

export interface ServerOptions {
  readonly transport: Transport;
  readonly maxBody: number;
  /** SZX 7 is understood: over TCP (RFC 8323 §6). */
  readonly bert: boolean;
  readonly emit: Emit;
  /** EXCHANGE_LIFETIME in milliseconds: how long a block-wise transfer may pause. */
  readonly transferLifetimeMs: () => number;
}

/** What the answer needs to know of its request. */
interface OpenExchange {
  /** Both of its latest copy, when its final block came again. */
  origin: Origin;
  token: Uint8Array;
  readonly code: number;
  readonly options: readonly CoapOption[];
  readonly observe: 'register' | 'deregister' | undefined;
  /** A later request of the same token decides about its registration. */
  superseded: boolean;
  /** The last Block1 of the request, to be echoed. */
  readonly block1: Block | undefined;
  /** The block of the response that was asked for. */
  readonly block2: Block | undefined;
}

/** Options about blocks, of no concern to whoever answers the whole. */
const BLOCK_OPTIONS: ReadonlySet<number> = new Set([
  OPTION.block1,
  OPTION.block2,
  OPTION.size1,
  OPTION.size2,
  OPTION.requestTag,
]);

export class ServerExchanges {
  readonly #options: ServerOptions;
  readonly #open = new Map<ExchangeId, OpenExchange>();
  readonly #observers = new Observers();
  readonly #reassembly: Block1Reassembly;
  readonly #finished = new FinishedUploads();
  readonly #bodies = new Block2Cache();
  #count = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#reassembly = new Block1Reassembly(options.maxBody);
  }

  request(message: Message, origin: Origin, now: Instant): void {
    const block1 = block1Of(message);
    const block2 = readBlock(message.options, OPTION.block2);
    const bertAsked = block1?.exponent === BERT_EXPONENT || block2?.exponent === BERT_EXPONENT;
    if (bertAsked && !this.#options.bert) {
      // RFC 7959 §2.2: SZX 7 "MUST NOT be sent and … MUST lead to a 4.00 Bad Request".
      this.#answer(message, origin, RESPONSE.badRequest, 'block size exponent 7 is reserved', now);
      return;
    }
    if (block1 === undefined) this.#whole(message, origin, undefined, block2, now);
    else this.#block(message, origin, block1, block2, now);
  }

  #block(message: Message, origin: Origin, block1: Block, block2: Block | undefined, now: Instant): void {
    const finished = this.#finished.find(message, block1, now);
    if (finished !== undefined) {
      this.#again(finished, message, origin, now);
      return;
    }
    const lifetimeMs = this.#options.transferLifetimeMs();
    const reassembled = this.#reassembly.accept(message, block1, now, lifetimeMs);
    switch (reassembled.kind) {
      case 'whole': {
        const { options, payload } = reassembled;
        const exchange = this.#whole({ ...message, options, payload }, origin, block1, block2, now);
        if (exchange !== undefined) this.#finished.keep(message, block1, exchange, now + lifetimeMs);
        break;
      }
      case 'continue': {
        const options = [makeBlock(OPTION.block1, this.#preferred(message, block1))];
        const answer = { code: RESPONSE.continue, token: message.token, options, payload: EMPTY };
        this.#options.transport.respond(origin, answer, undefined, now);
        break;
      }
      case 'refused':
        this.#answer(message, origin, reassembled.code, reassembled.diagnostic, now, block1);
    }
  }

  /** A final block once more: its request is not done again, and its answer goes where it is now asked for. */
  #again({ exchange, answer }: FinishedUpload, { token }: Message, origin: Origin, now: Instant): void {
    const { transport } = this.#options;
    const open = this.#open.get(exchange);
    if (answer !== undefined) transport.respond(origin, { ...answer, token }, undefined, now);
    else if (open === undefined) transport.ignore(origin, now);
    else {
      transport.ignore(open.origin, now);
      open.origin = origin;
      open.token = token;
    }
  }

  /** RFC 7959 §2.3: the size wanted for the blocks to come. A message larger than what we may send is too large. */
  #preferred(message: Message, block: Block): Block {
    if (block.exponent === BERT_EXPONENT) return block;
    const { transport } = this.#options;
    const room = transport.maxMessage - transport.lengthOf({ ...message, payload: EMPTY }) - 1;
    return { ...block, exponent: fittingExponent(room, block.exponent) ?? block.exponent };
  }

  /** A request whose body is complete; its exchange, unless it is answered here. */
  #whole(
    message: Message,
    origin: Origin,
    block1: Block | undefined,
    block2: Block | undefined,
    now: Instant,
  ): ExchangeId | undefined {
    if (message.payload.length > this.#options.maxBody) {
      const diagnostic = `a body has at most ${this.#options.maxBody} bytes`;
      this.#answer(message, origin, RESPONSE.requestEntityTooLarge, diagnostic, now);
      return undefined;
    }
    const later = block2 !== undefined && block2.number > 0;
    if (later && this.#laterBlock(message, origin, block2, now)) return undefined;
    if (this.#open.size >= MAX_OPEN) {
      const busy = {
        code: RESPONSE.serviceUnavailable,
        token: message.token,
        options: [makeUintOption(OPTION.maxAge, BUSY_MAX_AGE_SECONDS)],
        payload: utf8Encode('too many open requests'),
      };
      this.#options.transport.respond(origin, busy, undefined, now);
      return undefined;
    }
    const observe = later ? undefined : observeRequest(message.code, message.options);
    if (observe !== undefined) this.#supersede(message.token);
    const exchange = ++this.#count;
    const { token, code } = message;
    const options = forResource(message.options, block1 !== undefined || block2 !== undefined, later);
    this.#open.set(exchange, {
      origin,
      token,
      code,
      options: message.options,
      observe,
      superseded: false,
      block1,
      block2,
    });
    // RFC 7252 §5.5: a payload that means nothing is ignored.
    const payload = code === METHOD.get || code === METHOD.delete ? EMPTY : message.payload;
    const request = { code, options, payload, confirmable: origin.confirmable };
    this.#options.emit({ type: 'request', exchange, request, observe });
    return exchange;
  }

  /** A block of a body that was begun before; false when its resource has to make it anew. */
  #laterBlock(message: Message, origin: Origin, asked: Block, now: Instant): boolean {
    const { transport, transferLifetimeMs } = this.#options;
    const key = responseBodyKey(message.code, message.options);
    const body = this.#bodies.get(key, now, now + transferLifetimeMs());
    if (body === undefined) {
      if (message.code === METHOD.get || message.code === METHOD.fetch) return false;
      // Asking a resource again would do again what the request did.
      this.#answer(message, origin, RESPONSE.requestEntityIncomplete, 'the response is kept no longer', now);
      return true;
    }
    transport.respond(origin, this.#cut(body, message.token, asked, []), undefined, now);
    return true;
  }

  respond(exchange: ExchangeId, response: Response, now: Instant): void {
    const open = this.#take(exchange);
    const granted =
      open.observe === 'register' &&
      response.code >> 5 === 2 &&
      response.options.some(({ number }) => number === OPTION.observe);
    const observer = granted ? this.#register(exchange, open) : undefined;
    const extra: CoapOption[] = [];
    if (observer !== undefined) extra.push(this.#observers.nextNumber());
    if (open.block1 !== undefined) extra.push(makeBlock(OPTION.block1, { ...open.block1, more: false }));
    const key = () => observer?.cacheKey ?? responseBodyKey(open.code, open.options);
    const message = this.#fit(response, open.token, open.block2, extra, key, now);
    if (open.block1 !== undefined) this.#finished.answered(exchange, message);
    this.#options.transport.respond(open.origin, message, observer, now);
  }

  ignore(exchange: ExchangeId, now: Instant): void {
    this.#options.transport.ignore(this.#take(exchange).origin, now);
  }

  /** The peer may have left while the notification was made: then its owner is told once more. */
  notify(exchange: ExchangeId, response: Response, last: boolean, now: Instant): void {
    const observer = this.#observers.get(exchange);
    if (observer === undefined) {
      this.#options.emit({ type: 'observer-gone', exchange });
      return;
    }
    // RFC 7641 §4.2: a response other than 2.xx ends the observation, and only 2.xx carries Observe.
    const ends = last || response.code >> 5 !== 2;
    if (ends) this.#observers.remove(exchange);
    const extra = ends ? [] : [this.#observers.nextNumber()];
    const { blockExponent } = observer;
    const asked = blockExponent === undefined ? undefined : firstBlock(blockExponent);
    const message = this.#fit(response, observer.token, asked, extra, () => observer.cacheKey, now);
    this.#options.transport.notify(observer, message, now);
  }

  /** A notification met a Reset, or a Confirmable one no answer (RFC 7641 §4.5). */
  undelivered(observer: Observer): void {
    this.#removeObserver(observer.exchange);
  }

  closed(): void {
    this.#open.clear();
    for (const exchange of this.#observers.exchanges()) this.#removeObserver(exchange);
  }

  tick(now: Instant): void {
    for (const kept of [this.#reassembly, this.#finished, this.#bodies]) kept.expire(now);
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { deadline } of [this.#reassembly, this.#finished, this.#bodies])
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    return earliest;
  }

  #take(exchange: ExchangeId): OpenExchange {
    const open = this.#open.get(exchange);
    if (open === undefined) throw new RangeError(`incoming exchange ${exchange} is not open`);
    this.#open.delete(exchange);
    return open;
  }

  #register(exchange: ExchangeId, open: OpenExchange): Observer | undefined {
    const observer: Observer = {
      role: 'observer',
      exchange,
      token: open.token.slice(),
      cacheKey: responseBodyKey(open.code, open.options),
      blockExponent: open.block2?.exponent,
    };
    if (!open.superseded && this.#observers.add(observer)) return observer;
    // RFC 7641 §4.1: a server unable to add the client answers without Observe.
    this.#options.emit({ type: 'observer-gone', exchange });
    return undefined;
  }

  /** RFC 7641 §4.1: the same token replaces its entry, or removes it; also one that is not granted yet. */
  #supersede(token: Uint8Array): void {
    for (const open of this.#open.values())
      if (open.observe === 'register' && equalBytes(open.token, token)) open.superseded = true;
    const observer = this.#observers.findByToken(token);
    if (observer !== undefined) this.#removeObserver(observer.exchange);
  }

  #removeObserver(exchange: ExchangeId): void {
    if (this.#observers.remove(exchange)) this.#options.emit({ type: 'observer-gone', exchange });
  }

  /** The response as one message: whole when it fits and fits the size asked for, the block asked for otherwise. */
  #fit(
    response: Response,
    token: Uint8Array,
    asked: Block | undefined,
    extra: readonly CoapOption[],
    key: () => string,
    now: Instant,
  ): Message {
    const bare = withoutOption(response, OPTION.observe);
    const whole = toMessage(bare, token, extra);
    const { transport, transferLifetimeMs } = this.#options;
    const askedSize = asked === undefined ? Infinity : sizeAsked(asked);
    const fits = response.payload.length <= askedSize && transport.lengthOf(whole) <= transport.maxMessage;
    const asksLater = asked !== undefined && asked.number > 0 && response.code >> 5 === 2;
    if (fits && !asksLater) return whole;
    const body = withEtag(bare);
    this.#bodies.set(key(), body, now + transferLifetimeMs());
    return this.#cut(body, token, asked ?? firstBlock(MAX_EXPONENT), extra);
  }

  #cut(body: Response, token: Uint8Array, asked: Block, extra: readonly CoapOption[]): Message {
    const { transport } = this.#options;
    const widestBlock = makeBlock(OPTION.block2, { number: 0xfffff, more: true, exponent: MAX_EXPONENT });
    const frame = [...extra, widestBlock, makeUintOption(OPTION.size2, body.payload.length)];
    const empty = toMessage({ ...body, payload: EMPTY }, token, frame);
    const room = transport.maxMessage - transport.lengthOf(empty) - 1;
    const exponent = fittingExponent(room);
    if (exponent === undefined) throw new RangeError('the options of a response leave no room for a block');
    const block = cutBlock(body, asked, exponent, room);
    if (block !== undefined) return toMessage(block, token, extra);
    const payload = utf8Encode('there is no such block');
    return { code: RESPONSE.badRequest, token, options: [], payload };
  }

  #answer(
    message: Message,
    origin: Origin,
    code: number,
    diagnostic: string,
    now: Instant,
    block1?: Block,
  ): void {
    const options: CoapOption[] = [];
    if (block1 !== undefined) options.push(makeBlock(OPTION.block1, block1));
    // RFC 7252 §5.9.2.9: 4.13 says how large a request entity may be.
    if (code === RESPONSE.requestEntityTooLarge)
      options.push(makeUintOption(OPTION.size1, this.#options.maxBody));
    const answer = { code, token: message.token, options, payload: utf8Encode(diagnostic) };
    this.#options.transport.respond(origin, answer, undefined, now);
  }
}

/** Bytes that one response may carry for the block asked for. */
const sizeAsked = ({ exponent }: Block): number =>
  exponent === BERT_EXPONENT ? Infinity : blockSize(exponent);

const firstBlock = (exponent: number): Block => ({ number: 0, more: false, exponent });

/** The very same options when there is nothing to take away. */
function forResource(
  options: readonly CoapOption[],
  blockwise: boolean,
  later: boolean,
): readonly CoapOption[] {
  if (!blockwise) return options;
  // RFC 9132 §4.4.2 repeats the ETag to name the body, not to have it validated.
  return options.filter(({ number }) => !BLOCK_OPTIONS.has(number) && !(later && number === OPTION.etag));
}

const withoutOption = (response: Response, option: number): Response =>
  response.options.some(({ number }) => number === option)
    ? { ...response, options: response.options.filter(({ number }) => number !== option) }
    : response;

const toMessage = (response: Response, token: Uint8Array, extra: readonly CoapOption[]): Message => ({
  code: response.code,
  token,
  options: extra.length === 0 ? response.options : sortOptions([...response.options, ...extra]),
  payload: response.payload,
});
