/** Confirmable messages of ours: one at a time (NSTART is 1, RFC 7252 §4.7), repeated until answered (§4.2). */
import type { Instant } from '../base/time.ts';
import type { CoapTrace, TransmissionParameters } from './endpoint-io.ts';
import type { Message } from './message.ts';
import type { MessageIds } from './message-ids.ts';
import type { ProbingRate } from './probing-rate.ts';
import type { PendingRequest, Sender } from './stack.ts';
import { deriveTimes, type TransmissionTimes } from './transmission.ts';
import { encodeUdp, TYPE } from './udp-message.ts';

/**
 * Separate responses that wait behind an unacknowledged one. A peer that asks on and on but acknowledges nothing gets no
 * more of them; our own requests are bounded by whoever sends them.
 */
const MAX_WAITING = 64;

interface Environment {
  readonly parameters: TransmissionParameters;
  readonly random: () => number;
  readonly ids: MessageIds;
  readonly probing: ProbingRate;
  readonly transmit: (bytes: Uint8Array) => void;
  readonly gaveUp: (sender: Sender | undefined, now: Instant) => void;
  readonly trace: (kind: CoapTrace['kind'], detail: string) => void;
}

interface Waiting {
  readonly message: Message;
  readonly sender: Sender | undefined;
  /** While the peer is silent it is given up here. */
  readonly giveUpAt: Instant;
}

interface InFlight {
  readonly messageId: number;
  readonly bytes: Uint8Array;
  readonly sender: Sender | undefined;
  timeoutMs: number;
  retransmitAt: Instant;
  retransmissions: number;
}

export class Retransmission {
  readonly #environment: Environment;
  #parameters: TransmissionParameters;
  #times: TransmissionTimes;
  #waiting: Waiting[] = [];
  #inFlight: InFlight | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#parameters = environment.parameters;
    this.#times = deriveTimes(environment.parameters);
  }

  /** A message in flight keeps its timeout and meets the new MAX_RETRANSMIT. */
  setParameters(parameters: TransmissionParameters): void {
    this.#parameters = parameters;
    this.#times = deriveTimes(parameters);
  }

  add(message: Message, sender: Sender | undefined, now: Instant): void {
    if (sender?.role !== 'request' && this.#waiting.length >= MAX_WAITING) {
      this.#environment.trace('rejected', 'too many separate responses wait: message not sent');
      this.#environment.gaveUp(sender, now);
      return;
    }
    this.#waiting.push({ message, sender, giveUpAt: now + this.#times.maxTransmitWaitMs });
    this.#startNext(now);
  }

  inFlight(messageId: number): { readonly sender: Sender | undefined } | undefined {
    return this.#inFlight?.messageId === messageId ? this.#inFlight : undefined;
  }

  /** Answered: by acknowledgement or Reset. */
  finish(messageId: number, now: Instant): { readonly sender: Sender | undefined } | undefined {
    const finished = this.inFlight(messageId);
    if (finished !== undefined) {
      this.#inFlight = undefined;
      this.#startNext(now);
    }
    return finished;
  }

  /** Not wanted any more, sent or not: a separate response may come before the acknowledgement (RFC 7252 §4.2). */
  settle(pending: PendingRequest, now: Instant): void {
    this.#waiting = this.#waiting.filter(({ sender }) => sender !== pending);
    if (this.#inFlight?.sender !== pending) return;
    this.#inFlight = undefined;
    this.#startNext(now);
  }

  tick(now: Instant): void {
    const sent = this.#inFlight;
    if (sent !== undefined && sent.retransmitAt <= now) {
      if (sent.retransmissions >= this.#parameters.maxRetransmit) this.#giveUp(sent, now);
      else this.#retransmit(sent, now);
    }
    this.#startNext(now);
    this.#giveUpWaiting(now);
  }

  get deadline(): Instant | undefined {
    if (this.#inFlight !== undefined) return this.#inFlight.retransmitAt;
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    return Math.min(this.#startAt(), next.giveUpAt);
  }

  #startAt(): Instant {
    const { ids, probing } = this.#environment;
    return Math.max(
      ids.availableAt(this.#times.exchangeLifetimeMs),
      probing.openAt(this.#parameters.probingRate),
    );
  }

  #startNext(now: Instant): void {
    const [next] = this.#waiting;
    if (this.#inFlight !== undefined || next === undefined || this.#startAt() > now) return;
    const messageId = this.#environment.ids.take(now, this.#times.exchangeLifetimeMs);
    if (messageId === undefined) return;
    this.#waiting.shift();
    // RFC 7252 §4.2: "the initial timeout is set to a random duration … between ACK_TIMEOUT and (ACK_TIMEOUT *
    // ACK_RANDOM_FACTOR)".
    const { ackTimeoutMs, ackRandomFactor } = this.#parameters;
    const timeoutMs = ackTimeoutMs * (1 + this.#environment.random() * (ackRandomFactor - 1));
    const bytes = encodeUdp(TYPE.confirmable, messageId, next.message);
    if (next.sender?.role === 'request') next.sender.messageId = messageId;
    this.#inFlight = {
      messageId,
      bytes,
      sender: next.sender,
      timeoutMs,
      retransmitAt: now + timeoutMs,
      retransmissions: 0,
    };
    this.#send(bytes, now);
  }

  #retransmit(sent: InFlight, now: Instant): void {
    sent.retransmissions++;
    sent.timeoutMs *= 2;
    sent.retransmitAt = now + sent.timeoutMs;
    this.#environment.trace('retransmission', `${sent.retransmissions} of message id ${sent.messageId}`);
    this.#send(sent.bytes, now);
  }

  #giveUp(sent: InFlight, now: Instant): void {
    this.#inFlight = undefined;
    this.#environment.probing.gaveUp();
    this.#environment.gaveUp(sent.sender, now);
  }

  /** What PROBING_RATE holds back from a silent peer is not held for ever. */
  #giveUpWaiting(now: Instant): void {
    while (this.#environment.probing.silent && this.#inFlight === undefined) {
      const [next] = this.#waiting;
      if (next === undefined || next.giveUpAt > now) return;
      this.#waiting.shift();
      this.#environment.gaveUp(next.sender, now);
    }
  }

  #send(bytes: Uint8Array, now: Instant): void {
    this.#environment.probing.sent(bytes.length, now);
    this.#environment.transmit(bytes);
  }
}
