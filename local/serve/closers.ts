/** What has been opened, to be closed in reverse order: the same at the end as after a start that failed half way. */
export class Closers {
  readonly #close: (() => unknown)[] = [];

  /** What a closer returns is awaited. */
  add(close: () => unknown): void {
    this.#close.push(close);
  }

  /** Closes everything, whatever fails on the way; then rejects with what failed. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#close.pop(); close !== undefined; close = this.#close.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
  }
}
