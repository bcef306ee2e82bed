/** Messages received, so that a duplicate is recognised and answered as before (RFC 7252 §4.5). */
import type { Instant } from '../base/time.ts';
import type { Origin } from './stack.ts';

/**
 * Most messages remembered per session. DOTS peers send a heartbeat per 15 s or more and a request per 3 s, 75 in an
 * EXCHANGE_LIFETIME; a peer that sends faster loses the oldest, and the methods of DOTS are idempotent.
 */
const MAX_REMEMBERED = 256;

/** A Confirmable or Non-confirmable message received. */
export interface Received extends Origin {
  readonly expiresAt: Instant;
  /** Acknowledgement or Reset that went back: a duplicate gets the same. */
  answer: Uint8Array | undefined;
  /** Confirmable and not answered yet: when the empty acknowledgement goes out. */
  acknowledgeAt: Instant;
}

export class Deduplication {
  readonly #received = new Map<number, Received>();

  find(messageId: number, now: Instant): Received | undefined {
    const received = this.#received.get(messageId);
    return received !== undefined && received.expiresAt > now ? received : undefined;
  }

  remember(received: Received, now: Instant): void {
    // An old entry of the same id gives up its place in the order of arrival.
    this.#received.delete(received.messageId);
    for (const [messageId, oldest] of this.#received) {
      if (oldest.expiresAt > now && this.#received.size < MAX_REMEMBERED) break;
      this.#received.delete(messageId);
    }
    this.#received.set(received.messageId, received);
  }

  get size(): number {
    return this.#received.size;
  }
}
