/** Readings of a device's whole state, shared by all who ask at the same time: the cost does not grow with their number. */
export class SharedReading<T> {
  readonly #read: () => Promise<T>;
  readonly #recentMs: number;
  #running: Promise<T> | undefined;
  #queued: Promise<T> | undefined;
  #last: { readonly startedAt: number; readonly value: Promise<T> } | undefined;

  /** `recentMs`: how old a reading may be for those who do not mind. */
  constructor(read: () => Promise<T>, recentMs: number) {
    this.#read = read;
    this.#recentMs = recentMs;
  }

  /** A reading that starts now or later, never one that is already under way. */
  fresh(): Promise<T> {
    if (this.#running === undefined) return this.#start();
    const afterwards = (): Promise<T> => {
      this.#queued = undefined;
      return this.#start();
    };
    this.#queued ??= this.#running.then(afterwards, afterwards);
    return this.#queued;
  }

  /** A reading that started a moment ago at most, and not before the last `forget`. */
  recent(): Promise<T> {
    const isRecent = this.#last !== undefined && performance.now() - this.#last.startedAt < this.#recentMs;
    return isRecent && this.#last !== undefined ? this.#last.value : this.fresh();
  }

  /** To be called after a change: older readings no longer tell the state. */
  forget(): void {
    this.#last = undefined;
  }

  #start(): Promise<T> {
    const value = this.#read();
    const ended = (): void => {
      this.#running = undefined;
    };
    this.#running = value;
    this.#last = { startedAt: performance.now(), value };
    value.then(ended, ended);
    return value;
  }
}
