/**
 * The layers of an endpoint, and what they hand each other.
 *
 *      Input                                     Output
 *   +----v-----------------------------------------^----+
 *   | endpoint                                          |
 *   +-------------------------+-------------------------+
 *   | server exchanges        | client exchanges        |   whole bodies
 *   |   Observe, Block1/2     |   Observe, Block1/2     |   RFC 7641, RFC 7959
 *   +-------------------------+-------------------------+
 *   | request layer: options, tokens, matching          |   RFC 7252 §5
 *   +-------------------------+-------------------------+
 *   | message layer (UDP)     | connection (TCP)        |   RFC 7252 §4 | RFC 8323
 *   +-------------------------+-------------------------+
 *        bytes
 *
 * Calls go down; what comes up goes through the two `…Above` interfaces. Outputs are emitted from where they arise.
 */
import type { Instant } from '../base/time.ts';
import type { ExchangeId, Output, TransmissionParameters } from './endpoint-io.ts';
import type { Message } from './message.ts';

export type Emit = (output: Output) => void;

/** The message a request came in: what the lowest layer needs to answer it. */
export interface Origin {
  readonly confirmable: boolean;
  /** UDP: its message id. TCP: its number on this connection. */
  readonly messageId: number;
}

/** A request of ours on its way, or waiting for its response. */
export interface PendingRequest {
  readonly role: 'request';
  readonly exchange: ExchangeId;
  readonly message: Message;
  readonly confirmable: boolean;
  /** Every response to it is wanted: an observation. */
  readonly standing: boolean;
  /** It repeats the token of an observation. */
  readonly renewal: boolean;
  /** From here on no response is expected; later for an observation. */
  expiresAt: Instant;
  /** UDP: set when it is sent. */
  messageId: number | undefined;
}

/** A registration that the peer may end by a Reset (RFC 7641 §3.6). */
export interface Observer {
  readonly role: 'observer';
  /** The exchange of the registering request. */
  readonly exchange: ExchangeId;
  readonly token: Uint8Array;
  /** Names the observed representation in the cache of block-wise transfers. */
  readonly cacheKey: string;
  /** Block size exponent that the registration asked for: the largest for its notifications (RFC 7959 §2.6). */
  readonly blockExponent: number | undefined;
}

export type Sender = PendingRequest | Observer;

/** The layer that sends and receives messages: `MessageLayer` or `Connection`. */
export interface Transport {
  receive(bytes: Uint8Array, now: Instant): void;
  tick(now: Instant): void;
  readonly deadline: Instant | undefined;
  /** Largest message the peer takes, in the bytes of `lengthOf`. */
  readonly maxMessage: number;
  lengthOf(message: Message): number;
  /** False when the transport takes no more requests. */
  request(pending: PendingRequest, now: Instant): boolean;
  /** Its response is here, or not wanted any more: stop sending it. */
  settle(pending: PendingRequest, now: Instant): void;
  /** `observer` when the response is the first notification of one. */
  respond(origin: Origin, message: Message, observer: Observer | undefined, now: Instant): void;
  ignore(origin: Origin, now: Instant): void;
  /** Refuses a message that no response can be given to. */
  reject(origin: Origin, now: Instant): void;
  notify(observer: Observer, message: Message, now: Instant): void;
  release(now: Instant): void;
  setParameters(parameters: TransmissionParameters): void;
}

/** What a transport tells the layer above it. */
export interface AboveTransport {
  request(message: Message, origin: Origin, now: Instant): void;
  /** False when nobody waits for it, or it cannot be accepted. */
  response(message: Message, now: Instant): boolean;
  /** A message of `sender` met a Reset, or no answer through all its retransmissions. */
  undelivered(sender: Sender, reason: 'timeout' | 'reset', now: Instant): void;
}

/** What the request layer tells the exchanges above it. */
export interface AboveRequests {
  request(message: Message, origin: Origin, now: Instant): void;
  response(pending: PendingRequest, message: Message, now: Instant): void;
  undelivered(sender: Sender, reason: 'timeout' | 'reset' | 'malformed-response', now: Instant): void;
}
