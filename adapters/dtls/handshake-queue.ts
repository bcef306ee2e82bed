/**
 * Work for strangers waits here while established peers are served: it runs between two rounds of datagrams, for about as
 * long as the established peers took, so that a flood of hellos costs them at most half of the loop.
 */

/** `first`: hellos without a cookie. `returning`: everything of peers that have shown one. They take turns. */
export type Lane = 'first' | 'returning';

const LONGEST_SLICE_MS = 5;
const SHORTEST_SLICE_MS = 1;
const CAPACITY_PER_LANE = 2048;

export class HandshakeQueue<Item> {
  readonly #lanes: Readonly<Record<Lane, Item[]>> = { first: [], returning: [] };
  readonly #work: (item: Item) => void;
  readonly #now: () => number;
  readonly #later: (slice: () => void) => void;
  #next: Lane = 'returning';
  #scheduled = false;
  #liveMs = 0;

  /** `now`: monotonic milliseconds. `later`: runs a slice once the loop has looked at its sockets again. */
  constructor(work: (item: Item) => void, now: () => number, later: (slice: () => void) => void) {
    this.#work = work;
    this.#now = now;
    this.#later = later;
  }

  get length(): number {
    return this.#lanes.first.length + this.#lanes.returning.length;
  }

  /** False when the lane is full: the stranger will repeat itself. */
  push(lane: Lane, item: Item): boolean {
    if (this.#lanes[lane].length >= CAPACITY_PER_LANE) return false;
    this.#lanes[lane].push(item);
    this.#schedule();
    return true;
  }

  /** Time just spent on established peers. */
  spentOnLive(ms: number): void {
    this.#liveMs += ms;
  }

  clear(): void {
    this.#lanes.first.length = 0;
    this.#lanes.returning.length = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => {
      this.#scheduled = false;
      this.#slice();
    });
  }

  #slice(): void {
    const budget = sliceBudget(this.#liveMs);
    this.#liveMs = 0;
    const end = this.#now() + budget;
    try {
      for (let item = this.#take(); item !== undefined; item = this.#now() < end ? this.#take() : undefined)
        this.#work(item);
    } finally {
      if (this.length > 0) this.#schedule();
    }
  }

  #take(): Item | undefined {
    const lane = this.#next;
    const other = lane === 'first' ? 'returning' : 'first';
    this.#next = other;
    return this.#lanes[lane].shift() ?? this.#lanes[other].shift();
  }
}

/** Milliseconds for strangers, after `liveMs` for established peers. */
export function sliceBudget(liveMs: number): number {
  return liveMs === 0 ? LONGEST_SLICE_MS : Math.min(LONGEST_SLICE_MS, Math.max(SHORTEST_SLICE_MS, liveMs));
}
