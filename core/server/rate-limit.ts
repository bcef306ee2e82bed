/** A token bucket: what one identity may ask for, whatever cuid it uses (RFC 9132 §11, S-432). */
import type { Instant } from '../base/time.ts';

export interface RateLimit {
  readonly requestsPerSecond: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

export class RateBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #filledAt: Instant;

  constructor(limit: RateLimit, now: Instant) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#filledAt = now;
  }

  /** 0 when the request may pass, else the seconds after which the next one may. */
  take(now: Instant): number {
    const { requestsPerSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * requestsPerSecond);
    this.#filledAt = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - this.#tokens) / requestsPerSecond));
  }
}
