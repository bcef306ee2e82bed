/**
 * When a Non-confirmable request is sent again. RFC 9132 §4.4: "the DOTS client MUST NOT send more than one
 * Non-confirmable request every 3 seconds" without an estimate of the round trip, "and SHOULD use an even less
 * aggressive rate whenever possible".
 */
import type { Instant } from '../base/time.ts';

const WITHOUT_ESTIMATE_MS = 3_000;
/** So many copies at that interval, which then doubles up to the longest. */
const STEADY_COPIES = 4;
const LONGEST_WITHOUT_ESTIMATE_MS = 12_000;
const SHORTEST_WITH_ESTIMATE_MS = 1_000;

/** Milliseconds between the copy with this number, counted from 1, and the next. */
export function repetitionInterval(copies: number, estimateMs: number | undefined): number {
  if (estimateMs !== undefined) return Math.max(SHORTEST_WITH_ESTIMATE_MS, 2 * estimateMs);
  const doublings = Math.max(0, copies - STEADY_COPIES);
  return Math.min(WITHOUT_ESTIMATE_MS * 2 ** doublings, LONGEST_WITHOUT_ESTIMATE_MS);
}

export interface RepetitionOptions {
  readonly giveUpAfterMs: number;
  /** False for what the layer below repeats itself: Confirmable messages, and everything over TCP. */
  readonly repeats: boolean;
}

/** The copies of one request. */
export class Repetition {
  readonly #repeats: boolean;
  readonly #giveUpAt: Instant;
  #copies = 0;
  #nextAt: Instant;

  constructor(now: Instant, options: RepetitionOptions) {
    this.#repeats = options.repeats;
    this.#nextAt = now;
    this.#giveUpAt = now + options.giveUpAfterMs;
  }

  /** When `advance` has something to say. */
  get deadline(): Instant {
    return Math.min(this.#nextAt, this.#giveUpAt);
  }

  /** What is due at `now`. A `send` counts as sent. */
  advance(now: Instant, estimateMs: number | undefined): 'send' | 'give-up' | 'wait' {
    if (now >= this.#giveUpAt) return 'give-up';
    if (now < this.#nextAt) return 'wait';
    this.#copies += 1;
    this.#nextAt = this.#repeats ? now + repetitionInterval(this.#copies, estimateMs) : Infinity;
    return 'send';
  }
}
