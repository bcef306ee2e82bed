/** What the commands write: results on stdout; progress and warnings on stderr; colours where somebody looks. */
import { styleText } from 'node:util';

export type Tone = 'good' | 'busy' | 'bad' | 'plain';

const STYLE = { good: 'green', busy: 'yellow', bad: 'red' } as const;

/** `text` in colour on a terminal, unless NO_COLOR says otherwise. */
export function toned(text: string, tone: Tone): string {
  if (tone === 'plain' || !process.stdout.isTTY || process.env['NO_COLOR']) return text;
  return styleText(STYLE[tone], text);
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

export function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}

const QUIET_MS = 2_000;
const REFRESH_MS = 1_000;

/** Says what is going on once it has taken two seconds: a line that counts on a terminal, a single line elsewhere. */
export class Progress {
  readonly #startedAt = performance.now();
  #text: string;
  #shown = false;
  readonly #timer: NodeJS.Timeout;

  constructor(text: string) {
    this.#text = text;
    this.#timer = setInterval(() => this.#show(), REFRESH_MS);
  }

  update(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    if (!process.stderr.isTTY) this.#shown = false;
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#shown && process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  }

  #show(): void {
    const elapsedMs = performance.now() - this.#startedAt;
    if (elapsedMs < QUIET_MS) return;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001b[2K${this.#text} (${Math.floor(elapsedMs / 1000)} s)`);
    } else if (!this.#shown) warn(this.#text);
    this.#shown = true;
  }
}
