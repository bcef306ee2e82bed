/** What the calls and observations of a session see of it. */
import type { RoundTrip } from '#core/client/round-trip.ts';
import type { ExchangeId, FailureReason } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';

export interface Link {
  readonly roundTrip: RoundTrip;
  /** False over TCP, which repeats by itself. */
  readonly repeatsRequests: boolean;
  /** Chance, uniform in [0, 1). */
  readonly fraction: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls `work` after `delayMs`, unless the function it returns is called before. */
  readonly after: (delayMs: number, work: () => void) => () => void;
  /** Calls `work` when the pace allows another request, unless the function it returns is called before. */
  pace(work: () => void): () => void;
  /** With the exchange of a running observation, under its token again. */
  send(owner: ExchangeOwner, request: Request, again?: ExchangeId): ExchangeId;
  /** Wants no further response. */
  release(exchange: ExchangeId): void;
}

export interface ExchangeOwner {
  response(exchange: ExchangeId, response: Response, more: boolean): void;
  failed(exchange: ExchangeId, reason: FailureReason): void;
}
