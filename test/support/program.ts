/** A peer program under a test's control: what it prints, what it is told, and its certain end. */
import { type ChildProcess, spawn } from 'node:child_process';

export class Program {
  output = '';
  readonly #child: ChildProcess;
  #ended = false;

  constructor(path: string, args: readonly string[]) {
    this.#child = spawn(path, args, { stdio: 'pipe' });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString('latin1');
      });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => {
      this.output += String(error);
      this.#ended = true;
    });
    this.#child.on('close', () => {
      this.#ended = true;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  tell(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Resolves when the output matches; rejects with the output when it does not within `withinMs`, or the program ends. */
  async prints(pattern: RegExp, withinMs = 4500): Promise<void> {
    const end = performance.now() + withinMs;
    while (!pattern.test(this.output)) {
      if (performance.now() > end || this.#ended)
        throw new Error(`Not printed: ${String(pattern)}\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    while (!this.#ended) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
