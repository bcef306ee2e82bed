/**
 * Work for strangers waits here while the socket is read and established peers are served. It runs in slices between two
 * rounds of datagrams, each no longer than the round before took: a flood of hellos costs at most half of the loop, and what
 * it costs is not taken from reading, where the records of established peers wait behind the flood.
 */

/** `first`: hellos without a cookie. `returning`: everything of peers that have shown one. They take turns. */
export type Lane = 'first' | 'returning';

const LONGEST_SLICE_MS = 5;
const SHORTEST_SLICE_MS = 0.2;
const CAPACITY_PER_LANE = 2048;

export class HandshakeQueue<Item> {
  readonly #lanes: Readonly<Record<Lane, Item[]>> = { first: [], returning: [] };
  readonly #work: (item: Item) => void;
  readonly #now: () => number;
  readonly #later: (slice: () => void) => void;
  #next: Lane = 'returning';
  #scheduled = false;
  /** When the last slice ended: what has passed since went to everything else, or to waiting. */
  #endedAt: number;

  /** `now`: monotonic milliseconds. `later`: runs a slice once the loop has looked at its sockets again. */
  constructor(work: (item: Item) => void, now: () => number, later: (slice: () => void) => void) {
    this.#work = work;
    this.#now = now;
    this.#later = later;
    this.#endedAt = now();
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
    const began = this.#now();
    const end = began + sliceBudget(began - this.#endedAt);
    try {
      for (let item = this.#take(); item !== undefined; item = this.#now() < end ? this.#take() : undefined)
        this.#work(item);
    } finally {
      this.#endedAt = this.#now();
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

/** Milliseconds for strangers, when everything else took `elsewhereMs` since they last had their turn. */
export function sliceBudget(elsewhereMs: number): number {
  return Math.min(LONGEST_SLICE_MS, Math.max(SHORTEST_SLICE_MS, elsewhereMs));
}
