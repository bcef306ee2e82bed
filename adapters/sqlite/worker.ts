/**
 * The one thread that touches the database: its calls are synchronous and the event loop of the sessions never waits
 * for a disk. Writes that have queued up share one COMMIT, a savepoint each, and are answered only when it is durable.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Database, describeFailure, type Failure } from './database.ts';
import { type CallAnswer, type FromWorker, READS, type ToWorker, WRITES } from './protocol.ts';

type Call = Extract<ToWorker, { type: 'call' }>;
type Statement = (database: Database, ...values: readonly unknown[]) => unknown;

/** Bounds how long the first of a batch waits for the last. */
const LARGEST_BATCH = 500;
/** How often commits of other processes are looked for, while somebody wants to know. */
const WATCH_INTERVAL_MS = 250;

function main(port: MessagePort, path: string): void {
  const say = (message: FromWorker): void => port.postMessage(message);
  let database: Database;
  try {
    database = new Database(path);
  } catch (error) {
    say({ type: 'not-opened', failure: describeFailure(error) });
    port.close();
    return;
  }
  let watch: NodeJS.Timeout | undefined;
  let seenVersion = database.dataVersion();

  const lookAround = (): void => {
    const version = database.dataVersion();
    if (version === seenVersion) return;
    seenVersion = version;
    say({ type: 'changed-elsewhere' });
  };

  port.on('message', (first: ToWorker) => {
    const calls: Call[] = [];
    for (let next: ToWorker | undefined = first; next !== undefined; ) {
      if (next.type === 'call') calls.push(next);
      else if (next.type === 'watch') {
        clearInterval(watch);
        if (next.on) watch = setInterval(lookAround, WATCH_INTERVAL_MS);
      } else {
        say({ type: 'answers', answers: answer(database, calls) });
        clearInterval(watch);
        database.close();
        port.close();
        return;
      }
      next = calls.length < LARGEST_BATCH ? receive(port) : undefined;
    }
    if (calls.length > 0) say({ type: 'answers', answers: answer(database, calls) });
  });
  say({ type: 'opened' });
}

function receive(port: MessagePort): ToWorker | undefined {
  return (receiveMessageOnPort(port) as { readonly message: ToWorker } | undefined)?.message;
}

/** Writes first: a read then never sees what a failed COMMIT takes back. */
function answer(database: Database, calls: readonly Call[]): CallAnswer[] {
  const writes = calls.filter((call) => call.name in WRITES);
  const reads = calls.filter((call) => call.name in READS);
  return [
    ...(writes.length === 0 ? [] : write(database, writes)),
    ...reads.map((call) =>
      attempt(call, () => (READS[call.name as keyof typeof READS] as Statement)(database, ...call.values)),
    ),
  ];
}

function write(database: Database, calls: readonly Call[]): CallAnswer[] {
  try {
    database.begin();
    const answers = calls.map((call) =>
      attempt(call, () =>
        database.savepoint(() =>
          (WRITES[call.name as keyof typeof WRITES] as Statement)(database, ...call.values),
        ),
      ),
    );
    if (!database.inTransaction) return unacknowledged(calls, answers);
    database.commit();
    return answers;
  } catch (error) {
    const failure = describeFailure(error);
    database.rollback();
    return calls.map(({ id }) => ({ id, ok: false, failure }));
  }
}

/** A full or failing disk rolls the whole transaction back: what had seemed written in it was not. */
function unacknowledged(calls: readonly Call[], answers: readonly CallAnswer[]): CallAnswer[] {
  const failure: Failure = answers.find((one) => !one.ok)?.failure ?? {
    code: 'failed',
    message: 'the database gave the transaction up',
  };
  return calls.map(({ id }) => ({ id, ok: false, failure }));
}

function attempt({ id }: Call, work: () => unknown): CallAnswer {
  try {
    return { id, ok: true, value: work() };
  } catch (error) {
    return { id, ok: false, failure: describeFailure(error) };
  }
}

if (parentPort === null) throw new Error('worker.ts is started by connection.ts');
main(parentPort, (workerData as { readonly path: string }).path);
