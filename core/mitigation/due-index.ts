/**
 * What is due when: a binary heap by time. An entry is not taken out when its record changes; it is recognised as
 * stale by whoever reads it, and the owner rebuilds the heap when stale entries prevail.
 */
import type { EpochSeconds } from '../base/time.ts';

export interface DueEntry {
  readonly at: EpochSeconds;
  readonly holder: string;
}

export class DueIndex {
  readonly #heap: DueEntry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(entry: DueEntry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= entry.at) break;
      heap[index] = heap[parent] as DueEntry;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Entries due at or before `now`, in no order; reads only those and their neighbours. */
  upTo(now: EpochSeconds): DueEntry[] {
    const found: DueEntry[] = [];
    const open = [0];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const entry = this.#heap[index];
      if (entry === undefined || entry.at > now) continue;
      found.push(entry);
      open.push(2 * index + 1, 2 * index + 2);
    }
    return found;
  }

  /** Starts over with exactly these. */
  rebuild(entries: Iterable<DueEntry>): void {
    this.#heap.length = 0;
    for (const entry of entries) this.#heap.push(entry);
    // Sorted is a heap.
    this.#heap.sort((left, right) => left.at - right.at);
  }

  #at(index: number): EpochSeconds {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }
}
