/** Message ids of what we send (RFC 7252 §4.4). */
import type { Instant } from '../base/time.ts';

const IDS = 0x10000;
/** Ids are accounted for in runs of this many: 64 instants are remembered instead of 65536. */
const RUN = 1024;

/** Counts up from a random start and refuses an id that may still be alive at the peer. */
export class MessageIds {
  #next: number;
  /** When the latest id of a run was given out. */
  readonly #runUsedAt = new Map<number, Instant>();

  constructor(random: () => number) {
    this.#next = Math.floor(random() * IDS);
  }

  /**
   * RFC 7252 §4.4: "The same Message ID MUST NOT be reused (in communicating with the same endpoint) within the
   * EXCHANGE_LIFETIME." Undefined while that would happen.
   */
  take(now: Instant, exchangeLifetimeMs: number): number | undefined {
    if (now < this.availableAt(exchangeLifetimeMs)) return undefined;
    const id = this.#next;
    this.#next = (id + 1) % IDS;
    this.#runUsedAt.set(Math.floor(id / RUN), now);
    return id;
  }

  /** When `take` has an id again; in the past when it has one. */
  availableAt(exchangeLifetimeMs: number): Instant {
    if (this.#next % RUN !== 0) return -Infinity;
    const usedAt = this.#runUsedAt.get(this.#next / RUN);
    return usedAt === undefined ? -Infinity : usedAt + exchangeLifetimeMs;
  }
}
