/**
 * RFC 9132 §4.4: "DOTS agents MUST NOT send more than one UDP datagram per round-trip time (RTT) to the peer DOTS agent on
 * average", and a client without an estimate not "more than one Non-confirmable request every 3 seconds".
 */
import type { Instant } from '#core/base/time.ts';

export interface PacedQueueOptions {
  readonly now: () => Instant;
  readonly after: (delayMs: number, work: () => void) => () => void;
  /** Milliseconds from one piece of work to the next. */
  readonly gapMs: () => number;
}

/** Work in the order it came, each piece as soon as the gap after the one before has passed. */
export class PacedQueue {
  readonly #options: PacedQueueOptions;
  readonly #waiting = new Set<() => void>();
  #nextAt: Instant = -Infinity;
  #timed = false;
  #isOpen = false;

  constructor(options: PacedQueueOptions) {
    this.#options = options;
  }

  /** At once when it may; the function that is returned takes it back. */
  add(work: () => void): () => void {
    const piece = (): void => work();
    this.#waiting.add(piece);
    this.#drain();
    return () => this.#waiting.delete(piece);
  }

  /** From now on nothing waits: on a closed session there is no pace, and everything is to fail at once. */
  open(): void {
    this.#isOpen = true;
    this.#drain();
  }

  #drain(): void {
    for (const piece of this.#waiting) {
      const now = this.#options.now();
      if (now < this.#nextAt && !this.#isOpen) {
        this.#wait(this.#nextAt - now);
        return;
      }
      this.#waiting.delete(piece);
      this.#nextAt = now + this.#options.gapMs();
      piece();
    }
  }

  #wait(delayMs: number): void {
    if (this.#timed) return;
    this.#timed = true;
    this.#options.after(delayMs, () => {
      this.#timed = false;
      this.#drain();
    });
  }
}
