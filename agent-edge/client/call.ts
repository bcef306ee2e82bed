/** One request to its one response, in as many copies as it takes (RFC 9132 §4.4, `core/client/repetition.ts`). */
import { fail, ok, type Result } from '#core/base/result.ts';
import { Repetition } from '#core/client/repetition.ts';
import type { ExchangeId, FailureReason } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { ExchangeOwner, Link } from './link.ts';

export class Call implements ExchangeOwner {
  readonly done: Promise<Result<Response, FailureReason>>;
  readonly #link: Link;
  readonly #request: Request;
  readonly #repetition: Repetition;
  /** When each copy went out: every one has its own token, so the answer tells which it answers. */
  readonly #copies = new Map<ExchangeId, number>();
  readonly #repeats: boolean;
  readonly #cancelGiveUp: () => void;
  #cancelTurn: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  #resolve: (result: Result<Response, FailureReason>) => void = () => undefined;

  constructor(link: Link, request: Request, giveUpAfterMs: number) {
    this.#link = link;
    this.#request = request;
    this.#repeats = link.repeatsRequests && !request.confirmable;
    this.#repetition = new Repetition(link.now(), this.#repeats);
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#cancelGiveUp = link.after(giveUpAfterMs, () => this.#finish(fail('timeout')));
    this.#queueCopy();
  }

  response(exchange: ExchangeId, response: Response): void {
    const sentAt = this.#copies.get(exchange);
    // A Confirmable request may have been retransmitted: whose answer this is cannot be told (RFC 6298 §3).
    if (sentAt !== undefined && !this.#request.confirmable) {
      this.#link.roundTrip.sample(this.#link.now() - sentAt);
    }
    this.#finish(ok(response));
  }

  failed(exchange: ExchangeId, reason: FailureReason): void {
    this.#copies.delete(exchange);
    // One copy without an answer says nothing of the others.
    if (reason === 'timeout' && this.#repeats) return;
    this.#finish(fail(reason));
  }

  #queueCopy(): void {
    this.#cancelTurn = this.#link.pace(() => this.#sendCopy());
  }

  #sendCopy(): void {
    const now = this.#link.now();
    this.#copies.set(this.#link.send(this, this.#request), now);
    this.#repetition.sent(now, this.#link.roundTrip.estimateMs);
    const delayMs = this.#repetition.nextAt - now;
    if (delayMs < Infinity) this.#cancelTimer = this.#link.after(delayMs, () => this.#queueCopy());
  }

  #finish(result: Result<Response, FailureReason>): void {
    this.#cancelGiveUp();
    this.#cancelTurn();
    this.#cancelTimer();
    for (const exchange of this.#copies.keys()) this.#link.release(exchange);
    this.#copies.clear();
    this.#resolve(result);
  }
}
