/**
 * The message layer over UDP (RFC 7252 §4): acknowledgement, retransmission, deduplication, congestion control.
 * Empty Confirmable messages are answered here (ping, §4.3); everything else goes to the request layer.
 */
import type { Instant } from '../base/time.ts';
import { Deduplication, type Received } from './deduplication.ts';
import type { CoapTrace, TransmissionParameters } from './endpoint-io.ts';
import type { Message } from './message.ts';
import { MessageIds } from './message-ids.ts';
import { ProbingRate } from './probing-rate.ts';
import { Retransmission } from './retransmission.ts';
import type { AboveTransport, Emit, Observer, Origin, PendingRequest, Sender, Transport } from './stack.ts';
import { deriveTimes, type TransmissionTimes } from './transmission.ts';
import { decodeUdp, encodeEmptyUdp, encodeUdp, TYPE, type UdpMessage, udpLength } from './udp-message.ts';

/** Most Non-confirmable messages whose Reset is still understood; beyond it the oldest is forgotten. */
const MAX_SENT_NON = 256;

export interface MessageLayerOptions {
  readonly parameters: TransmissionParameters;
  readonly maxPayload: number;
  readonly separateAfterMs: number;
  readonly random: () => number;
}

interface SentNon {
  readonly sender: Sender;
  readonly expiresAt: Instant;
}

export class MessageLayer implements Transport {
  readonly maxMessage: number;
  readonly lengthOf = udpLength;
  readonly #options: MessageLayerOptions;
  readonly #above: AboveTransport;
  readonly #emit: Emit;
  readonly #ids: MessageIds;
  readonly #received = new Deduplication();
  /** Confirmable requests without any answer yet, the oldest first. */
  readonly #unanswered = new Map<number, Received>();
  readonly #sentNon = new Map<number, SentNon>();
  readonly #retransmission: Retransmission;
  readonly #probing = new ProbingRate();
  #times: TransmissionTimes;

  constructor(options: MessageLayerOptions, above: AboveTransport, emit: Emit) {
    this.maxMessage = options.maxPayload;
    this.#options = options;
    this.#above = above;
    this.#emit = emit;
    this.#ids = new MessageIds(options.random);
    this.#times = deriveTimes(options.parameters);
    this.#retransmission = new Retransmission({
      parameters: options.parameters,
      random: options.random,
      ids: this.#ids,
      probing: this.#probing,
      transmit: (bytes) => this.#transmit(bytes),
      gaveUp: (sender, now) => {
        if (sender !== undefined) above.undelivered(sender, 'timeout', now);
      },
      trace: (kind, detail) => this.#trace(kind, detail),
    });
  }

  setParameters(parameters: TransmissionParameters): void {
    this.#times = deriveTimes(parameters);
    this.#retransmission.setParameters(parameters);
  }

  receive(bytes: Uint8Array, now: Instant): void {
    const decoded = decodeUdp(bytes);
    if (!decoded.ok) {
      this.#trace('malformed', decoded.error.code);
      const { resetMessageId } = decoded.error;
      if (resetMessageId !== undefined) this.#transmit(encodeEmptyUdp(TYPE.reset, resetMessageId));
      return;
    }
    this.#probing.heard();
    const message = decoded.value;
    switch (message.type) {
      case TYPE.acknowledgement:
        this.#acknowledged(message, now);
        break;
      case TYPE.reset:
        this.#reset(message.messageId, now);
        break;
      default:
        if (message.code === 0) this.#transmit(encodeEmptyUdp(TYPE.reset, message.messageId));
        else this.#deliver(message, now);
    }
    // What was held back from a silent peer may go now.
    this.#retransmission.tick(now);
  }

  /** A request or response, Confirmable or Non-confirmable. */
  #deliver(message: UdpMessage, now: Instant): void {
    const known = this.#received.find(message.messageId, now);
    if (known !== undefined) {
      this.#trace('duplicate', `message id ${message.messageId}`);
      // RFC 7252 §4.5: "The recipient SHOULD acknowledge each duplicate copy of a Confirmable message using the same
      // Acknowledgement or Reset message but SHOULD process any request or response in the message only once."
      if (known.confirmable && known.answer !== undefined) this.#transmit(known.answer);
      return;
    }
    const confirmable = message.type === TYPE.confirmable;
    const lifetime = confirmable ? this.#times.exchangeLifetimeMs : this.#times.nonLifetimeMs;
    const received: Received = {
      confirmable,
      messageId: message.messageId,
      expiresAt: now + lifetime,
      answer: undefined,
      acknowledgeAt: now + this.#options.separateAfterMs,
    };
    this.#received.remember(received, now);
    if (message.code >> 5 === 0) {
      if (confirmable) this.#unanswered.set(message.messageId, received);
      this.#above.request(message, received, now);
    } else if (!this.#above.response(message, now)) {
      this.#trace('unknown-message', `response with message id ${message.messageId}`);
      this.reject(received, now);
    } else if (confirmable) this.#answer(received, encodeEmptyUdp(TYPE.acknowledgement, message.messageId));
  }

  #acknowledged(message: UdpMessage, now: Instant): void {
    const sent = this.#retransmission.inFlight(message.messageId);
    if (sent === undefined) {
      this.#trace('unknown-message', `acknowledgement of message id ${message.messageId}`);
      return;
    }
    if (message.code === 0) {
      this.#retransmission.finish(message.messageId, now);
      return;
    }
    // RFC 7252 §5.3.2: "the Message ID of the Confirmable request and the Acknowledgement MUST match, and the tokens of
    // the response and original request MUST match."
    if (sent.sender?.role === 'request' && sameToken(message, sent.sender.message)) {
      this.#retransmission.finish(message.messageId, now);
      this.#above.response(message, now);
    } else this.#trace('unknown-message', `piggybacked response to message id ${message.messageId}`);
  }

  #reset(messageId: number, now: Instant): void {
    this.#trace('reset-received', `message id ${messageId}`);
    const confirmable = this.#retransmission.finish(messageId, now);
    const sender = confirmable?.sender ?? this.#sentNon.get(messageId)?.sender;
    this.#sentNon.delete(messageId);
    if (sender !== undefined) this.#above.undelivered(sender, 'reset', now);
  }

  request(pending: PendingRequest, now: Instant): boolean {
    if (pending.confirmable) this.#retransmission.add(pending.message, pending, now);
    else pending.messageId = this.#sendNon(pending.message, pending, now);
    return true;
  }

  settle(pending: PendingRequest, now: Instant): void {
    if (pending.confirmable) this.#retransmission.settle(pending, now);
    else if (pending.messageId !== undefined) this.#sentNon.delete(pending.messageId);
  }

  /** Piggybacked while the acknowledgement has not gone out; separate and Confirmable afterwards (RFC 7252 §5.2). */
  respond(origin: Origin, message: Message, observer: Observer | undefined, now: Instant): void {
    if (!origin.confirmable) {
      this.#sendNon(message, observer, now);
      return;
    }
    const unanswered = this.#takeUnanswered(origin);
    if (unanswered === undefined) this.#retransmission.add(message, observer, now);
    else this.#answer(unanswered, encodeUdp(TYPE.acknowledgement, origin.messageId, message));
  }

  ignore(origin: Origin): void {
    const unanswered = this.#takeUnanswered(origin);
    if (unanswered !== undefined)
      this.#answer(unanswered, encodeEmptyUdp(TYPE.acknowledgement, origin.messageId));
  }

  reject(origin: Origin, now: Instant): void {
    this.#trace('reset-sent', `message id ${origin.messageId}`);
    this.#unanswered.delete(origin.messageId);
    const received = this.#received.find(origin.messageId, now);
    const reset = encodeEmptyUdp(TYPE.reset, origin.messageId);
    if (received === undefined) this.#transmit(reset);
    else this.#answer(received, reset);
  }

  /** Always Non-confirmable: RFC 9132 §4.4.2.1 overrides the Confirmable notification per day of RFC 7641 §4.5. */
  notify(observer: Observer, message: Message, now: Instant): void {
    this.#sendNon(message, observer, now);
  }

  /** UDP has no Release: the session's close_notify says it all. */
  release(): void {
    return;
  }

  tick(now: Instant): void {
    for (const received of this.#unanswered.values()) {
      if (received.acknowledgeAt > now) break;
      this.#unanswered.delete(received.messageId);
      this.#answer(received, encodeEmptyUdp(TYPE.acknowledgement, received.messageId));
    }
    this.#retransmission.tick(now);
  }

  get deadline(): Instant | undefined {
    const retransmitAt = this.#retransmission.deadline;
    for (const { acknowledgeAt } of this.#unanswered.values())
      return retransmitAt === undefined ? acknowledgeAt : Math.min(acknowledgeAt, retransmitAt);
    return retransmitAt;
  }

  /** The request when no acknowledgement of it has gone out. */
  #takeUnanswered(origin: Origin): Received | undefined {
    const received = this.#unanswered.get(origin.messageId);
    // Long after, the peer may use the id for another request.
    if (received !== origin) return undefined;
    this.#unanswered.delete(origin.messageId);
    return received;
  }

  #answer(received: Received, answer: Uint8Array): void {
    received.answer = answer;
    this.#transmit(answer);
  }

  /** Its message id, or undefined when all ids are in use: a flood of responses stops here. */
  #sendNon(message: Message, sender: Sender | undefined, now: Instant): number | undefined {
    const messageId = this.#ids.take(now, this.#times.exchangeLifetimeMs);
    if (messageId === undefined) {
      this.#trace('rejected', 'no message id free: message not sent');
      return undefined;
    }
    if (sender !== undefined) this.#rememberNon(messageId, sender, now);
    const bytes = encodeUdp(TYPE.nonConfirmable, messageId, message);
    this.#probing.sent(bytes.length, now);
    this.#transmit(bytes);
    return messageId;
  }

  #rememberNon(messageId: number, sender: Sender, now: Instant): void {
    for (const [oldest, { expiresAt }] of this.#sentNon) {
      if (expiresAt > now && this.#sentNon.size < MAX_SENT_NON) break;
      this.#sentNon.delete(oldest);
    }
    this.#sentNon.set(messageId, { sender, expiresAt: now + this.#times.nonLifetimeMs });
  }

  #transmit(bytes: Uint8Array): void {
    this.#emit({ type: 'transmit', bytes });
  }

  #trace(kind: CoapTrace['kind'], detail: string): void {
    this.#emit({ type: 'trace', event: { kind, detail } });
  }
}

function sameToken(left: Message, right: Message): boolean {
  if (left.token.length !== right.token.length) return false;
  return left.token.every((byte, index) => byte === right.token[index]);
}
