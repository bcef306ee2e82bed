/** A program of the demo under way: what it has said so far, and a way to wait for what it says next. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ProgramOptions {
  /** Network namespace; absent: the one we are in. */
  readonly namespace?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Program {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #lines: string[] = [];
  #errors = '';
  #changed = Promise.withResolvers<undefined>();

  /** Starts a script of ours with the node that runs this one. */
  constructor(script: string, args: readonly string[], { namespace, environment }: ProgramOptions = {}) {
    const within = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const [program = '', ...rest] = [...within, process.execPath, script, ...args];
    this.#name = script.split('/').slice(-2).join('/');
    this.#child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    this.#child.on('exit', () => this.#wake());
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Writes one line to its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The first line from `from` on that `matches`, with the index after it. Rejects when it ends first, or on `signal`. */
  async line(
    matches: (line: string) => boolean,
    from: number,
    signal: AbortSignal,
  ): Promise<{ readonly line: string; readonly next: number }> {
    for (let index = from; ; index++) {
      while (index >= this.#lines.length) {
        if (this.hasEnded) throw new Error(`${this.#name} ended too early: ${this.#errors.trim()}`);
        await Promise.race([this.#changed.promise, aborted(signal)]).catch((cause: unknown) => {
          const said = this.#lines.slice(-3).join(' | ');
          throw new Error(`waited in vain for ${this.#name}, which said last: ${said}`, { cause });
        });
      }
      const line = this.#lines[index] ?? '';
      if (matches(line)) return { line, next: index + 1 };
    }
  }

  /** Asks it to end, waits, and resolves to its exit code; null when it had to be killed. */
  async stop(patienceMs = 8000): Promise<number | null> {
    if (!this.hasEnded) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(timer);
    }
    return this.#child.exitCode;
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve(undefined);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
