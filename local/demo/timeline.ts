/** What the demo tells: who did what, how many milliseconds after the start. */
export class Timeline {
  readonly #startedAt = performance.now();
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  tell(who: string, what: string): void {
    const at = Math.round(performance.now() - this.#startedAt).toString();
    this.#write(`${at.padStart(7)} ms  ${who.padEnd(9)} ${what}\n`);
  }
}
