/** What is to happen when, on a clock that only the simulation moves. */

interface Entry {
  readonly at: number;
  readonly work: () => void;
}

export class Agenda {
  /** By time, then in the order they were put in. */
  readonly #entries: Entry[] = [];

  /** Milliseconds; Infinity when nothing is left to do. */
  get nextAt(): number {
    return this.#entries[0]?.at ?? Infinity;
  }

  /** The function that is returned takes it back. */
  put(at: number, work: () => void): () => void {
    const entry = { at, work };
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.at ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
    return () => {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) this.#entries.splice(index, 1);
    };
  }

  /** Everything due at `now`, and what that makes due. */
  run(now: number): void {
    for (let next = this.#entries[0]; next !== undefined && next.at <= now; next = this.#entries[0]) {
      this.#entries.shift();
      next.work();
    }
  }
}
