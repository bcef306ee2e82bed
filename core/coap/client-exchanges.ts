/**
 * Requests of ours, from the whole request to the whole response: bodies cut and put together (RFC 7959), observations
 * kept and their notifications sorted (RFC 7641).
 */
import type { Instant } from '../base/time.ts';
import { BlockDownload, isStrayBlock, startsBody } from './block-download.ts';
import { fittingExponent, MAX_EXPONENT, makeBlock, readBlock } from './block-option.ts';
import { BlockUpload } from './block-upload.ts';
import { RESPONSE } from './code.ts';
import type { ExchangeId, FailureReason } from './endpoint-io.ts';
import type { Message, Request, Response } from './message.ts';
import { isFresher, type Notified, observeRequest } from './observe-layer.ts';
import { OPTION } from './option-number.ts';
import { makeUintOption, sortOptions, uintOption } from './options.ts';
import type { RequestLayer } from './request-layer.ts';
import type { Emit, PendingRequest } from './stack.ts';
import type { TransmissionTimes } from './transmission.ts';

/**
 * A Non-confirmable block without answer is sent again after this long: RFC 9132 §4.4 allows one Non-confirmable
 * request per 3 s without an estimate of the round trip.
 */
const REPEAT_BLOCK_AFTER_MS = 3000;

export interface ClientOptions {
  readonly requests: RequestLayer;
  readonly transport: 'udp' | 'tcp';
  readonly maxBody: number;
  readonly emit: Emit;
  readonly times: () => TransmissionTimes;
  /** MAX_RETRANSMIT: how often a Non-confirmable block is sent again. */
  readonly maxRepeats: () => number;
}

interface ClientExchange {
  readonly id: ExchangeId;
  request: Request;
  /** The request on its way: the whole, or one block. */
  current: PendingRequest | undefined;
  /** Holds the token of the observation, from its registration on. */
  observation: PendingRequest | undefined;
  /** The freshest notification; undefined until the observation is granted. */
  notified: Notified | undefined;
  upload: BlockUpload | undefined;
  download: BlockDownload | undefined;
  repeatAt: Instant | undefined;
  repeats: number;
  /** Nobody is told any more: it is only to end well. */
  silent: boolean;
}

export class ClientExchanges {
  readonly #options: ClientOptions;
  readonly #exchanges = new Map<ExchangeId, ClientExchange>();
  #tags = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  send(id: ExchangeId, request: Request, now: Instant): void {
    const running = this.#exchanges.get(id);
    if (running !== undefined) {
      this.#renew(running, request, now);
      return;
    }
    const exchange: ClientExchange = {
      id,
      request,
      current: undefined,
      observation: undefined,
      notified: undefined,
      upload: undefined,
      download: undefined,
      repeatAt: undefined,
      repeats: 0,
      silent: false,
    };
    this.#exchanges.set(id, exchange);
    const { transport } = this.#options.requests;
    const { code, options, payload } = request;
    const whole = { code, options, payload, token: PLACEHOLDER };
    if (transport.lengthOf(whole) <= transport.maxMessage) this.#sendWhole(exchange, now);
    else this.#upload(exchange, MAX_EXPONENT, now);
  }

  /** The same token again: to refresh the observation (RFC 7641 §3.3.1) or, with Observe 1, to end it (§3.6). */
  #renew(exchange: ClientExchange, request: Request, now: Instant): void {
    const { observation } = exchange;
    const asks = observeRequest(request.code, request.options);
    if (observation === undefined || asks === undefined)
      throw new RangeError(`exchange ${exchange.id} is in use and no observation to renew`);
    exchange.request = request;
    // Granted already, it outlives a refresh that is lost.
    const granted = exchange.notified !== undefined && asks === 'register';
    const expiresAt = granted ? Infinity : this.#expiry(request, now);
    this.#register(exchange, expiresAt, observation.message.token, now);
  }

  forget(id: ExchangeId, now: Instant): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined || exchange.silent) return;
    const { observation } = exchange;
    if (observation === undefined || this.#options.transport === 'udp') {
      this.#end(exchange, now);
      return;
    }
    // RFC 8323 §7.4: over TCP there is no Reset; the observation is ended explicitly.
    exchange.silent = true;
    if (exchange.current !== undefined) this.#options.requests.forget(exchange.current, now);
    exchange.current = undefined;
    exchange.download = undefined;
    const options = exchange.request.options.filter(({ number }) => number !== OPTION.observe);
    options.push(makeUintOption(OPTION.observe, 1));
    this.#renew(exchange, { ...exchange.request, options: sortOptions(options) }, now);
  }

  response(pending: PendingRequest, message: Message, now: Instant): void {
    const exchange = this.#exchanges.get(pending.exchange);
    if (exchange === undefined) return;
    if (pending === exchange.observation) this.#notification(exchange, message, now);
    else if (pending === exchange.current) this.#answer(exchange, message, now);
  }

  /** The first response to a registration, or a later one under its token. */
  #notification(exchange: ClientExchange, message: Message, now: Instant): void {
    const sequence = uintOption(message.options, OPTION.observe);
    const goesOn = message.code >> 5 === 2 && sequence !== undefined;
    if (!goesOn) this.#endObservation(exchange, now);
    else {
      const notified = { sequence, at: now };
      const latest = exchange.notified;
      // RFC 8323 §7.1: TCP keeps the order, and the value means nothing.
      const mayBeLate = this.#options.transport === 'udp';
      if (mayBeLate && latest !== undefined && !isFresher(notified, latest)) return;
      exchange.notified = notified;
      const { observation } = exchange;
      // The answer to a cancellation has no Observe: this is a notification that crossed it.
      if (observation !== undefined && !isCancellation(exchange.request)) observation.expiresAt = Infinity;
    }
    this.#stopDownload(exchange, now);
    this.#body(exchange, message, now);
  }

  #answer(exchange: ClientExchange, message: Message, now: Instant): void {
    exchange.current = undefined;
    exchange.repeatAt = undefined;
    const { upload, download, request } = exchange;
    if (download !== undefined) {
      this.#advance(exchange, download, download.take(message), now);
      return;
    }
    if (upload !== undefined) {
      if (upload.answered(message) === 'next') {
        this.#sendBlock(exchange, now);
        return;
      }
      exchange.upload = undefined;
    } else if (this.#wantsBlocks(request, message)) {
      const { exponent = MAX_EXPONENT } = readBlock(message.options, OPTION.block1) ?? {};
      this.#upload(exchange, Math.min(exponent, MAX_EXPONENT), now);
      return;
    }
    this.#body(exchange, message, now);
  }

  /**
   * RFC 7959 §2.9.3: "a 4.13 response to a request that does not employ Block1 is a hint for the client to try sending
   * Block1", unless the body as a whole is larger than the server says it takes.
   */
  #wantsBlocks({ payload }: Request, { code, options }: Message): boolean {
    if (code !== RESPONSE.requestEntityTooLarge || payload.length === 0) return false;
    return payload.length <= (uintOption(options, OPTION.size1) ?? Infinity);
  }

  /** A response that is whole, or begins one. */
  #body(exchange: ClientExchange, message: Message, now: Instant): void {
    if (startsBody(message)) {
      exchange.download = new BlockDownload(exchange.request, message, this.#options.maxBody);
      this.#sendBlock(exchange, now);
    } else if (isStrayBlock(message)) this.#fail(exchange, 'malformed-response', now);
    else if (message.payload.length > this.#options.maxBody) this.#fail(exchange, 'too-large', now);
    else this.#deliver(exchange, message, now);
  }

  #advance(
    exchange: ClientExchange,
    download: BlockDownload,
    progress: ReturnType<BlockDownload['take']>,
    now: Instant,
  ): void {
    if (progress === 'next') {
      this.#sendBlock(exchange, now);
      return;
    }
    exchange.download = undefined;
    if (progress === 'whole') this.#deliver(exchange, download.whole(), now);
    else this.#failPart(exchange, progress, now);
  }

  undelivered(pending: PendingRequest, reason: FailureReason, now: Instant): void {
    const exchange = this.#exchanges.get(pending.exchange);
    if (exchange === undefined) return;
    if (pending === exchange.observation) this.#fail(exchange, reason, now);
    else if (pending === exchange.current) {
      exchange.current = undefined;
      this.#failPart(exchange, reason, now);
    }
  }

  closed(now: Instant): void {
    for (const exchange of [...this.#exchanges.values()]) this.#fail(exchange, 'closed', now);
  }

  tick(now: Instant): void {
    for (const exchange of this.#exchanges.values()) {
      if (exchange.repeatAt === undefined || exchange.repeatAt > now) continue;
      const { current } = exchange;
      exchange.repeats++;
      if (current !== undefined) this.#options.requests.forget(current, now);
      this.#sendBlockAgain(exchange, now);
    }
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { repeatAt } of this.#exchanges.values())
      if (repeatAt !== undefined && (earliest === undefined || repeatAt < earliest)) earliest = repeatAt;
    return earliest;
  }

  #sendWhole(exchange: ClientExchange, now: Instant): void {
    const { code, options } = exchange.request;
    if (observeRequest(code, options) === 'register')
      this.#register(exchange, this.#expiry(exchange.request, now), undefined, now);
    else exchange.current = this.#transmit(exchange, exchange.request, now);
  }

  /** Sends the request under the token of its observation, a new one or the one given. */
  #register(exchange: ClientExchange, expiresAt: Instant, token: Uint8Array | undefined, now: Instant): void {
    const { id, request } = exchange;
    const { code, options, payload, confirmable } = request;
    const pending = this.#options.requests.send(
      {
        exchange: id,
        message: { code, options, payload },
        confirmable,
        standing: true,
        token,
        expiresAt,
      },
      now,
    );
    if (pending === undefined) this.#fail(exchange, 'closed', now);
    else exchange.observation = pending;
  }

  #upload(exchange: ClientExchange, largest: number, now: Instant): void {
    const { transport } = this.#options.requests;
    const { request } = exchange;
    const widest = makeBlock(OPTION.block1, { number: 0xfffff, more: true, exponent: MAX_EXPONENT });
    const size = makeUintOption(OPTION.size1, request.payload.length);
    const tag = { number: OPTION.requestTag, value: PLACEHOLDER };
    const options = sortOptions([...request.options, widest, size, tag]);
    const frame = { code: request.code, options, token: PLACEHOLDER, payload: NO_PAYLOAD };
    const exponent = fittingExponent(transport.maxMessage - transport.lengthOf(frame) - 1, largest);
    if (exponent === undefined) {
      this.#fail(exchange, 'too-large', now);
      return;
    }
    exchange.upload = new BlockUpload(request, exponent, () => makeUintOption(0, ++this.#tags).value);
    this.#sendBlock(exchange, now);
  }

  #sendBlock(exchange: ClientExchange, now: Instant): void {
    exchange.repeats = 0;
    this.#sendBlockAgain(exchange, now);
  }

  #sendBlockAgain(exchange: ClientExchange, now: Instant): void {
    const message = exchange.download?.request() ?? exchange.upload?.block();
    if (message === undefined) return;
    exchange.repeatAt = undefined;
    exchange.current = this.#transmit(exchange, message, now);
    const unreliable = this.#options.transport === 'udp' && !exchange.request.confirmable;
    if (unreliable && exchange.current !== undefined && exchange.repeats < this.#options.maxRepeats())
      exchange.repeatAt = now + REPEAT_BLOCK_AFTER_MS;
  }

  #transmit(
    exchange: ClientExchange,
    message: Omit<Message, 'token'>,
    now: Instant,
  ): PendingRequest | undefined {
    const { confirmable } = exchange.request;
    const expiresAt = this.#expiry(exchange.request, now);
    const { code, options, payload } = message;
    const pending = this.#options.requests.send(
      {
        exchange: exchange.id,
        message: { code, options, payload },
        confirmable,
        standing: false,
        expiresAt,
      },
      now,
    );
    if (pending === undefined) this.#fail(exchange, 'closed', now);
    return pending;
  }

  /** RFC 7252 §4.8.2: after these no message of the exchange is under way any more. */
  #expiry({ confirmable }: Request, now: Instant): Instant {
    const { exchangeLifetimeMs, nonLifetimeMs } = this.#options.times();
    return now + (confirmable || this.#options.transport === 'tcp' ? exchangeLifetimeMs : nonLifetimeMs);
  }

  #deliver(exchange: ClientExchange, { code, options, payload }: Response, now: Instant): void {
    const more = exchange.observation !== undefined;
    if (!more) this.#end(exchange, now);
    if (exchange.silent) return;
    const response = { code, options, payload };
    this.#options.emit({ type: 'response', exchange: exchange.id, response, more });
  }

  /** The rest of a notification does not come: the observation goes on, and its next notification is fetched anew. */
  #failPart(exchange: ClientExchange, reason: FailureReason, now: Instant): void {
    if (exchange.observation === undefined) {
      this.#fail(exchange, reason, now);
      return;
    }
    this.#stopDownload(exchange, now);
    const event = { kind: 'rejected', detail: `the rest of a notification is missing: ${reason}` } as const;
    this.#options.emit({ type: 'trace', event });
  }

  #fail(exchange: ClientExchange, reason: FailureReason, now: Instant): void {
    this.#end(exchange, now);
    if (!exchange.silent) this.#options.emit({ type: 'failed', exchange: exchange.id, reason });
  }

  #end(exchange: ClientExchange, now: Instant): void {
    this.#exchanges.delete(exchange.id);
    this.#stopDownload(exchange, now);
    this.#endObservation(exchange, now);
  }

  #endObservation(exchange: ClientExchange, now: Instant): void {
    if (exchange.observation !== undefined) this.#options.requests.forget(exchange.observation, now);
    exchange.observation = undefined;
  }

  #stopDownload(exchange: ClientExchange, now: Instant): void {
    if (exchange.current !== undefined) this.#options.requests.forget(exchange.current, now);
    exchange.current = undefined;
    exchange.download = undefined;
    exchange.repeatAt = undefined;
  }
}

const isCancellation = ({ code, options }: Request): boolean =>
  observeRequest(code, options) === 'deregister';

/** As long as a token, or the longest Request-Tag: only its length counts. */
const PLACEHOLDER = new Uint8Array(8);
const NO_PAYLOAD = new Uint8Array(0);
