/**
 * PROBING_RATE (RFC 7252 §4.7): the average of what is sent to a peer that does not respond.
 *
 * A peer counts as not responding once a Confirmable message has gone through all its retransmissions unanswered.
 * From then on new Confirmable messages wait; Non-confirmable ones are counted but never wait, for a mitigation request
 * is one: RFC 9132 §4.4 exempts it from probing-rate checks.
 */
import type { Instant } from '../base/time.ts';

export class ProbingRate {
  #bytes = 0;
  #since: Instant | undefined;
  #silent = false;

  sent(bytes: number, now: Instant): void {
    this.#since ??= now;
    this.#bytes += bytes;
  }

  heard(): void {
    this.#bytes = 0;
    this.#since = undefined;
    this.#silent = false;
  }

  gaveUp(): void {
    this.#silent = true;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** When the next Confirmable message may start; in the past when it may at once. `rate` in bytes per second. */
  openAt(rate: number): Instant {
    if (!this.#silent || this.#since === undefined) return -Infinity;
    return this.#since + (this.#bytes / rate) * 1000;
  }
}
