/** One CoAP endpoint on one secured session, as the server's edge and the client see it. */
import type {
  CoapTrace,
  EndpointOptions,
  ExchangeId,
  FailureReason,
  TransmissionParameters,
} from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';

/** What the endpoint tells its owner. Handlers may call the handle at once; what they cause follows in order. */
export interface EndpointHandlers {
  /** To be answered once, now or later, by `respond` or `ignore`. `exchange` counts up per endpoint. */
  request(exchange: ExchangeId, request: Request, observe: 'register' | 'deregister' | undefined): void;
  /** For the id that `send` returned. `more`: the observation goes on; otherwise the exchange is over. */
  response(exchange: ExchangeId, response: Response, more: boolean): void;
  /** The exchange is over without a (further) response. */
  failed(exchange: ExchangeId, reason: FailureReason): void;
  /** Stop calling `notify` for this incoming exchange. */
  observerGone(exchange: ExchangeId): void;
  /** Once, as the last call: the session is closed, by either side; every open exchange has failed with `closed` before. */
  closed(reason: string): void;
  trace(event: CoapTrace): void;
}

export interface EndpointHandle {
  /**
   * Sends a request and returns its id, counted apart from those of incoming requests. With the id of a running
   * observation it renews that observation under the same token, or cancels it when the request has Observe 1.
   */
  send(request: Request, observation?: ExchangeId): ExchangeId;
  /** Answers an incoming request. An Observe option of any value in it grants the observation asked for. */
  respond(exchange: ExchangeId, response: Response): void;
  /** No response at all: a CON gets its empty ACK. */
  ignore(exchange: ExchangeId): void;
  /** A notification to a granted observer; `observerGone` when there is none, or none any more. */
  notify(exchange: ExchangeId, response: Response, last: boolean): void;
  /** Wants no (further) response to a request of ours. */
  forget(exchange: ExchangeId): void;
  setParameters(parameters: TransmissionParameters): void;
  /** Closes the session: over TCP a Release goes first. `closed` follows. Idempotent. */
  close(): void;
}

export interface EndpointDriver {
  /** Takes over `session.onMessage` and `session.onClose` until either side closes. */
  attach(session: SecureSession, options: EndpointOptions, handlers: EndpointHandlers): EndpointHandle;
  /** Endpoints attached and not closed. */
  readonly size: number;
}

export type CreateDriver = (options: { readonly clock: Pick<Clock, 'monotonic'> }) => EndpointDriver;
