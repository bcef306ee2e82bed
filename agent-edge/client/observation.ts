/** One observation (RFC 7641; RFC 9132 §4.4.2.1), from registration to cancellation, under one token. */
import { renewAfterMs } from '#core/client/freshness.ts';
import { Repetition } from '#core/client/repetition.ts';
import type { ExchangeId, FailureReason } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { ExchangeOwner, Link } from './link.ts';

/** Each notification. `more` is false with the last one: an error, or an answer without observation. */
export type Notify = (response: Response, more: boolean) => void;

const CANCEL_WITHIN_MS = 2_000;

export class Observation implements ExchangeOwner {
  /** Why it is over: `ended` by a last notification, `stopped` by us, or a failure. */
  readonly over: Promise<'ended' | 'stopped' | FailureReason>;
  readonly #link: Link;
  readonly #makeRequest: (observe: 0 | 1) => Request;
  readonly #notify: Notify;
  #exchange: ExchangeId | undefined;
  /** Of the registration under way; undefined while notifications arrive. */
  #registration: Repetition | undefined;
  #cancelTurn: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  #stopping = false;
  #isOver = false;
  #resolve: (reason: 'ended' | 'stopped' | FailureReason) => void = () => undefined;

  constructor(link: Link, makeRequest: (observe: 0 | 1) => Request, notify: Notify) {
    this.#link = link;
    this.#makeRequest = makeRequest;
    this.#notify = notify;
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#register();
  }

  /** Cancels with Observe 1 under the same token, the preferred way (§4.4.2.1), and waits shortly for the answer. */
  async stop(): Promise<void> {
    if (!this.#isOver && !this.#stopping) {
      this.#stopping = true;
      this.#cancelTurn();
      this.#schedule(CANCEL_WITHIN_MS, () => this.#finish('stopped'));
      this.#send(1);
    }
    await this.over;
  }

  response(_exchange: ExchangeId, response: Response, more: boolean): void {
    if (this.#stopping) {
      if (!more) this.#finish('stopped');
      return;
    }
    this.#registration = undefined;
    this.#notify(response, more);
    if (!more) this.#finish('ended');
    else this.#schedule(renewAfterMs(response.options, this.#link.fraction()), () => this.#register());
  }

  failed(_exchange: ExchangeId, reason: FailureReason): void {
    this.#exchange = undefined;
    if (this.#stopping) this.#finish('stopped');
    else if (reason !== 'timeout') this.#finish(reason);
  }

  #register(): void {
    this.#registration = new Repetition(this.#link.now(), this.#link.repeatsRequests);
    this.#queueRegistration();
  }

  #queueRegistration(): void {
    this.#cancelTurn = this.#link.pace(() => this.#sendRegistration());
  }

  #sendRegistration(): void {
    const registration = this.#registration;
    if (registration === undefined) return;
    const now = this.#link.now();
    registration.sent(now, this.#link.roundTrip.estimateMs);
    const delayMs = registration.nextAt - now;
    if (delayMs < Infinity) this.#schedule(delayMs, () => this.#queueRegistration());
    this.#send(0);
  }

  #send(observe: 0 | 1): void {
    this.#exchange = this.#link.send(this, this.#makeRequest(observe), this.#exchange);
  }

  #schedule(delayMs: number, work: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#link.after(delayMs, work);
  }

  #finish(reason: 'ended' | 'stopped' | FailureReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTurn();
    this.#cancelTimer();
    if (this.#exchange !== undefined) this.#link.release(this.#exchange);
    this.#resolve(reason);
  }
}
