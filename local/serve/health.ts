/** Which parts work. A part is unwell from its first failure until it succeeds again. */
export class Health {
  readonly #troubles = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  failed(part: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#troubles.get(part) !== message) this.#log(`${part}: ${message}`);
    this.#troubles.set(part, message);
    this.#failures.set(part, this.failures(part) + 1);
  }

  worked(part: string): void {
    if (this.#troubles.delete(part)) this.#log(`${part}: works again`);
  }

  /** `part` reports to this object; rejections are counted, never thrown further. */
  async watch<T>(part: string, work: () => Promise<T>): Promise<T | undefined> {
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

  get parts(): readonly string[] {
    return [...this.#failures.keys()];
  }
}
