/** Which parts of the provider work, for /healthz, /metrics and the log. */
import type { Log } from './log.ts';

/** A part is unwell from its first failure until it succeeds again. */
export class Health {
  readonly #troubles = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  failed(part: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#troubles.get(part) !== message) this.#log({ event: 'part-failed', part, error: message });
    this.#troubles.set(part, message);
    this.#failures.set(part, this.failures(part) + 1);
  }

  worked(part: string): void {
    if (this.#troubles.delete(part)) this.#log({ event: 'part-works', part });
  }

  /** Does the work; a rejection becomes the part's trouble, and undefined. */
  async watch<T>(part: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const value = await work();
      this.worked(part);
      return value;
    } catch (error) {
      this.failed(part, error);
      return undefined;
    }
  }

  /** Undefined when all is well. */
  trouble(): string | undefined {
    if (this.#troubles.size === 0) return undefined;
    return [...this.#troubles].map(([part, message]) => `${part}: ${message}`).join('\n');
  }

  /** Since the start. */
  failures(part: string): number {
    return this.#failures.get(part) ?? 0;
  }

  /** That have failed at least once. */
  get parts(): readonly string[] {
    return [...this.#failures.keys()];
  }
}
