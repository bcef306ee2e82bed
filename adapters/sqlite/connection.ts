/** The owner's side of the worker: calls as promises, and word of what has changed. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreError } from '../store/store-error.ts';
import type { Failure } from './database.ts';
import type { Answer, Arguments, FromWorker, StatementName, ToWorker } from './protocol.ts';

/** What somebody can wait for. */
export type Topic = 'mitigations' | 'queue';

const TOPIC_OF: Partial<Record<StatementName, Topic>> = {
  commit: 'mitigations',
  putReport: 'mitigations',
  forget: 'mitigations',
  send: 'queue',
  acknowledge: 'queue',
  release: 'queue',
};

interface PendingCall {
  readonly name: StatementName;
  readonly resolve: (value: never) => void;
  readonly reject: (error: StoreError) => void;
}

export class Connection {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #listeners = new Map<() => void, Topic>();
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #end: StoreError | undefined;

  /** Opens or makes the database; `:memory:` lives as long as the connection. Rejects with a StoreError. */
  static open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      // The worker stands beside this module, as source or as what a bundler made of it.
      const script = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
      const worker = new Worker(script, { workerData: { path } });
      const failed = (cause: Error): void =>
        reject(new StoreError('failed', 'the thread of the database did not start', cause));
      worker.once('error', failed);
      worker.once('message', (message: FromWorker) => {
        worker.off('error', failed);
        if (message.type === 'not-opened') reject(errorOf(message.failure));
        else resolve(new Connection(worker));
      });
    });
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (cause: Error) =>
      this.#finish(new StoreError('failed', 'the thread of the database ended: restart the process', cause)),
    );
    worker.on('exit', () => this.#finish(new StoreError('closed', 'the database is closed')));
  }

  /** Resolves when the answer is known and, for a write, durable. Rejects with a StoreError; nothing has changed then. */
  call<N extends StatementName>(name: N, ...values: Arguments<N>): Promise<Answer<N>> {
    const end = this.#end ?? (this.#closing && new StoreError('closed', 'the database is closed'));
    if (end !== undefined) return Promise.reject(end);
    return new Promise<Answer<N>>((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { name, resolve, reject });
      this.#say({ type: 'call', id, name, values });
    });
  }

  /** Calls the listener after changes by this process or, within a quarter of a second, by another. */
  subscribe(topic: Topic, listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.set(entry, topic);
    if (this.#listeners.size === 1) this.#say({ type: 'watch', on: true });
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0)
        this.#say({ type: 'watch', on: false });
    };
  }

  get closed(): boolean {
    return this.#end !== undefined || this.#closing !== undefined;
  }

  /** What was asked before is answered first. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#end !== undefined) {
        resolve();
        return;
      }
      this.#worker.once('exit', () => resolve());
      this.#say({ type: 'close' });
      // Those who wait for news have to see that there will be none.
      for (const listener of this.#listeners.keys()) listener();
    });
    return this.#closing;
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.type === 'changed-elsewhere') this.#wake(new Set<Topic>(['mitigations', 'queue']));
    if (message.type !== 'answers') return;
    const topics = new Set<Topic>();
    for (const answer of message.answers) {
      const call = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (!answer.ok) {
        call?.reject(errorOf(answer.failure));
        continue;
      }
      call?.resolve(answer.value as never);
      const topic = call && TOPIC_OF[call.name];
      if (topic !== undefined) topics.add(topic);
    }
    this.#wake(topics);
  }

  #wake(topics: ReadonlySet<Topic>): void {
    for (const [listener, topic] of this.#listeners) if (topics.has(topic)) listener();
  }

  #finish(error: StoreError): void {
    this.#end ??= error;
    for (const call of this.#pending.values()) call.reject(this.#end);
    this.#pending.clear();
    for (const listener of this.#listeners.keys()) listener();
  }
}

function errorOf({ code, message }: Failure): StoreError {
  return new StoreError(code, message);
}
