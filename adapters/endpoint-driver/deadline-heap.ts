/** Deadlines of many owners, the earliest first: a binary heap whose entries know their place, so that moving one is cheap. */

export interface DeadlineEntry<T> {
  readonly owner: T;
  /** Milliseconds; set by the heap alone. */
  at: number;
  /** Place in the heap; -1 when not in it. */
  place: number;
}

export class DeadlineHeap<T> {
  readonly #entries: DeadlineEntry<T>[] = [];

  entry(owner: T): DeadlineEntry<T> {
    return { owner, at: 0, place: -1 };
  }

  get earliest(): DeadlineEntry<T> | undefined {
    return this.#entries[0];
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Puts the entry in, moves it, or, without a time, takes it out. */
  set(entry: DeadlineEntry<T>, at: number | undefined): void {
    if (at === undefined) {
      this.#remove(entry);
      return;
    }
    const before = entry.at;
    entry.at = at;
    if (entry.place < 0) {
      entry.place = this.#entries.length;
      this.#entries.push(entry);
      this.#rise(entry);
    } else if (at < before) this.#rise(entry);
    else if (at > before) this.#sink(entry);
  }

  #remove(entry: DeadlineEntry<T>): void {
    const { place } = entry;
    if (place < 0) return;
    entry.place = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: DeadlineEntry<T>): void {
    while (entry.place > 0) {
      const parentPlace = (entry.place - 1) >> 1;
      const parent = this.#entries[parentPlace];
      if (parent === undefined || parent.at <= entry.at) return;
      this.#put(parent, entry.place);
      this.#put(entry, parentPlace);
    }
  }

  #sink(entry: DeadlineEntry<T>): void {
    for (;;) {
      const left = this.#entries[2 * entry.place + 1];
      const right = this.#entries[2 * entry.place + 2];
      const child = left !== undefined && right !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= entry.at) return;
      const childPlace = child.place;
      this.#put(child, entry.place);
      this.#put(entry, childPlace);
    }
  }

  #put(entry: DeadlineEntry<T>, place: number): void {
    this.#entries[place] = entry;
    entry.place = place;
  }
}
