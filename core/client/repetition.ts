/**
 * When a Non-confirmable request is sent again (RFC 9132 §4.4): "at regular intervals until a response is received", and
 * without an estimate of the round trip not "more than one Non-confirmable request every 3 seconds", preferably fewer.
 */
import type { Instant } from '../base/time.ts';

/** Between Non-confirmable requests of any kind, as long as there is no estimate. */
export const GAP_WITHOUT_ESTIMATE_MS = 3_000;
/** So many copies at that interval, which then doubles up to the longest. */
const STEADY_COPIES = 4;
const LONGEST_WITHOUT_ESTIMATE_MS = 12_000;
const SHORTEST_WITH_ESTIMATE_MS = 1_000;

/** Milliseconds between the copy with this number, counted from 1, and the next. */
export function repetitionInterval(copies: number, estimateMs: number | undefined): number {
  if (estimateMs !== undefined) return Math.max(SHORTEST_WITH_ESTIMATE_MS, 2 * estimateMs);
  const doublings = Math.max(0, copies - STEADY_COPIES);
  return Math.min(GAP_WITHOUT_ESTIMATE_MS * 2 ** doublings, LONGEST_WITHOUT_ESTIMATE_MS);
}

/** The copies of one request. */
export class Repetition {
  readonly #repeats: boolean;
  #copies = 0;
  #nextAt: Instant;

  /** `repeats` is false for what the layer below repeats: Confirmable messages, and everything over TCP. */
  constructor(now: Instant, repeats: boolean) {
    this.#repeats = repeats;
    this.#nextAt = now;
  }

  /** When the next copy is due; Infinity when there is to be none. */
  get nextAt(): Instant {
    return this.#nextAt;
  }

  /** A copy went out at `now`. */
  sent(now: Instant, estimateMs: number | undefined): void {
    this.#copies += 1;
    this.#nextAt = this.#repeats ? now + repetitionInterval(this.#copies, estimateMs) : Infinity;
  }
}
