/** One after another under the same key, side by side otherwise. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` when every earlier one under `key` has ended, whether it succeeded or not. */
  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(task, task);
    // The chain only waits: whoever took the failed turn is told of the failure by its own promise.
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, ended);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}
