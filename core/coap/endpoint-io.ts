/**
 * What goes into and comes out of a CoAP endpoint. One endpoint per secured session; both roles at once.
 * `endpoint.step(input, now)` returns outputs; `endpoint.deadline` is when it wants a `tick`.
 */
import type { Instant } from '../base/time.ts';
import type { Request, Response } from './message.ts';

/** Names one request and its answers: counted by the endpoint for incoming ones, by the caller for outgoing ones. */
export type ExchangeId = number;

export type Input =
  /** UDP: one decrypted datagram. TCP: the next bytes of the stream, cut anywhere. The caller does not reuse the bytes. */
  | { readonly type: 'received'; readonly bytes: Uint8Array }
  /**
   * Sends a request; block-wise when it does not fit. With Observe 0 every notification is a further `response`.
   * On the exchange of a running observation it is renewed (Observe 0) or cancelled (Observe 1) under the same token.
   */
  | { readonly type: 'send'; readonly exchange: ExchangeId; readonly request: Request }
  /**
   * Stops waiting for (more) responses; a pending observation is forgotten, so that its next notification meets a Reset.
   * Over TCP, where there is no Reset, it is cancelled by Observe 1 (RFC 8323 §7.4).
   */
  | { readonly type: 'forget'; readonly exchange: ExchangeId }
  /**
   * Answers an incoming request: piggybacked if the empty ACK has not gone out yet, separate otherwise.
   * A success with an Observe option, of any value, grants the registration asked for; the endpoint puts the number in.
   */
  | { readonly type: 'respond'; readonly exchange: ExchangeId; readonly response: Response }
  /** Ends an incoming request without any response (RFC 9132 §4.4.3): a CON still gets its empty ACK. */
  | { readonly type: 'ignore'; readonly exchange: ExchangeId }
  /** A further, Non-confirmable response to an incoming request that asked for Observe 0 and was granted it. */
  | {
      readonly type: 'notify';
      readonly exchange: ExchangeId;
      readonly response: Response;
      readonly last: boolean;
    }
  | { readonly type: 'tick' }
  /** TCP: a Release goes out, and the session is to be closed (RFC 8323 §5.5). */
  | { readonly type: 'release' }
  /** The session is gone: what is open, or sent later, fails with `closed`; other inputs have no effect any more. */
  | { readonly type: 'closed' };

export type FailureReason = 'timeout' | 'reset' | 'too-large' | 'malformed-response' | 'closed';

export type Output =
  | { readonly type: 'transmit'; readonly bytes: Uint8Array }
  /** A complete (reassembled) incoming request, to be answered once by `respond` or `ignore`. */
  | {
      readonly type: 'request';
      readonly exchange: ExchangeId;
      readonly request: Request;
      readonly observe: 'register' | 'deregister' | undefined;
    }
  /** A complete response or notification for a request of ours. `more`: an observation goes on. */
  | {
      readonly type: 'response';
      readonly exchange: ExchangeId;
      readonly response: Response;
      readonly more: boolean;
    }
  | { readonly type: 'failed'; readonly exchange: ExchangeId; readonly reason: FailureReason }
  /** The peer reset, deregistered or replaced its observation, or it could not be kept: stop notifying. */
  | { readonly type: 'observer-gone'; readonly exchange: ExchangeId }
  /** TCP: Abort or Release, or a framing error: close the session after what was transmitted. */
  | { readonly type: 'close'; readonly reason: string }
  | { readonly type: 'trace'; readonly event: CoapTrace };

export interface CoapTrace {
  readonly kind:
    | 'malformed'
    | 'duplicate'
    | 'retransmission'
    | 'reset-sent'
    | 'reset-received'
    | 'unknown-message'
    | 'rejected';
  readonly detail: string;
}

/** Message-layer parameters of one session (RFC 9132 §4.5.2); the negotiated configuration replaces them at any time. */
export interface TransmissionParameters {
  /** ACK_TIMEOUT in milliseconds; DOTS default 2000. */
  readonly ackTimeoutMs: number;
  /** ACK_RANDOM_FACTOR; DOTS default 1.5. */
  readonly ackRandomFactor: number;
  /** MAX_RETRANSMIT; DOTS default 3. */
  readonly maxRetransmit: number;
  /** PROBING_RATE in bytes per second; DOTS default 5. */
  readonly probingRate: number;
}

export interface EndpointOptions {
  readonly transport: 'udp' | 'tcp';
  readonly parameters: TransmissionParameters;
  /** Largest datagram payload in bytes; responses and requests beyond it go block-wise. */
  readonly maxPayload: number;
  /** Largest reassembled body accepted, in bytes: beyond it 4.13. */
  readonly maxBody: number;
  /** After this long without an answer a CON gets an empty ACK, in milliseconds (below the peer's ACK_TIMEOUT). */
  readonly separateAfterMs: number;
  /** Uniform in [0, 1): first message id and token, ACK jitter. */
  readonly random: () => number;
}

export interface CoapEndpoint {
  step(input: Input, now: Instant): Output[];
  readonly deadline: Instant | undefined;
  setParameters(parameters: TransmissionParameters): void;
}
