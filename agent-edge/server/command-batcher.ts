/**
 * One invocation in flight per domain: what comes meanwhile goes together in the next. Concurrent decisions of one domain
 * would only lose its lock to each other.
 */
import type { Answer } from '#core/mitigation/answer.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Functions } from '#core/ports/functions.ts';
import { UNAVAILABLE } from './reply.ts';
import { errorText, type SignalLog } from './signal-event.ts';

/** Keeps one payload far below what an invocation may carry (Lambda: 6 MB; a request of 200 prefixes is about 10 kB). */
const MOST_IN_BATCH = 100;

interface Waiting {
  readonly command: Command;
  readonly answer: (answer: Answer) => void;
}

export interface BatcherDeps {
  readonly functions: Pick<Functions, 'requestMitigation'>;
  readonly log: SignalLog;
  /** After every batch that was answered. */
  readonly settled: (domainId: DomainId) => void;
}

export class CommandBatcher {
  readonly #deps: BatcherDeps;
  /** Domains with an invocation in flight, and what waits for the next one. */
  readonly #domains = new Map<DomainId, Waiting[]>();

  readonly #drains = new Set<Promise<void>>();
  #closed = false;

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
  }

  /**
   * Never rejects: when the function fails or answers nonsense, the answer is `unavailable`, and whether the command was
   * carried out is for the client to find out by asking again (every command may be repeated).
   */
  submit(domainId: DomainId, command: Command): Promise<Answer> {
    if (this.#closed) return Promise.resolve(REFUSED);
    return new Promise((answer) => {
      const queue = this.#domains.get(domainId);
      if (queue !== undefined) {
        queue.push({ command, answer });
        return;
      }
      const first = [{ command, answer }];
      this.#domains.set(domainId, first);
      const drain = this.#drain(domainId, first).finally(() => this.#drains.delete(drain));
      this.#drains.add(drain);
    });
  }

  /** Commands not yet answered. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#domains.values()) count += queue.length;
    return count;
  }

  /** Takes no more commands, and resolves when every one submitted before has its answer. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#drains);
  }

  async #drain(domainId: DomainId, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, MOST_IN_BATCH);
      const answers = await this.#invoke(
        domainId,
        batch.map(({ command }) => command),
      );
      queue.splice(0, batch.length);
      for (const [index, { answer }] of batch.entries()) answer(answers[index] ?? REFUSED);
      this.#deps.settled(domainId);
    }
    this.#domains.delete(domainId);
  }

  async #invoke(domainId: DomainId, commands: readonly Command[]): Promise<readonly Answer[]> {
    try {
      const { answers } = await this.#deps.functions.requestMitigation({ domainId, commands });
      if (answers.length === commands.length) return answers;
      throw new Error(`${answers.length} answers to ${commands.length} commands`);
    } catch (error) {
      this.#deps.log({
        event: 'commands-failed',
        domainId,
        commands: commands.length,
        error: errorText(error),
      });
      return [];
    }
  }
}

const REFUSED: Answer = { result: 'refused', refusal: UNAVAILABLE };
