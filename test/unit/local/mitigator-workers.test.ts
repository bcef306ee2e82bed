import { systemClock } from '#adapters/clock/system-clock.ts';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import type { MitigatorCommand, QueueMessage } from '#core/ports/queue.ts';
import { type MitigatorWorkers, startMitigatorWorkers } from '#local/serve/mitigator-workers.ts';

let parts: SqliteParts;
let workers: MitigatorWorkers | undefined;
beforeEach(async () => {
  parts = await openSqlite({ path: ':memory:', clock: systemClock });
});
afterEach(async () => {
  await workers?.stop();
  await parts.close();
});

const message = (mitigator: string, mid: number): QueueMessage => {
  const command: MitigatorCommand = { domainId: 'demo', cuid: 'c', mid, generation: 1, mitigator };
  return {
    group: `${mitigator}#${mid}`,
    deduplicationId: `${mitigator}#${mid}`,
    body: JSON.stringify(command),
  };
};

/** Collects commands, and resolves `reached(n)` once there are n. */
function collector(): {
  readonly seen: string[];
  readonly add: (command: MitigatorCommand) => void;
  readonly reached: (count: number) => Promise<void>;
} {
  const seen: string[] = [];
  let check = (): void => undefined;
  return {
    seen,
    add: ({ mitigator, mid }) => {
      seen.push(`${mitigator} ${mid}`);
      check();
    },
    reached: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (seen.length >= count) resolve();
        };
        check();
      }),
  };
}

test('a mitigator that hangs holds up no other', async () => {
  const { seen, add, reached } = collector();
  const release = Promise.withResolvers<'done'>();
  workers = startMitigatorWorkers({
    names: ['slow', 'quick'],
    queue: (name) => parts.queue(name),
    handle: (command) => {
      add(command);
      return command.mitigator === 'slow' ? release.promise : Promise.resolve('done');
    },
    onError: (_name, error) => {
      throw error;
    },
  });
  await workers.queue.send([message('slow', 1), message('quick', 1)]);
  await reached(2);
  await workers.queue.send([message('quick', 2), message('quick', 3)]);
  await reached(4);
  expect(seen.toSorted()).toEqual(['quick 1', 'quick 2', 'quick 3', 'slow 1']);
  release.resolve('done');
});

test('a command that fails is told and delivered again until it succeeds', async () => {
  const { seen, add, reached } = collector();
  const errors: string[] = [];
  workers = startMitigatorWorkers({
    names: ['flaky'],
    queue: (name) => parts.queue(name),
    handle: (command) => {
      add(command);
      if (seen.length === 1) return Promise.reject(new Error('no route to device'));
      return Promise.resolve(seen.length === 2 ? { retryAfterSeconds: 0 } : 'done');
    },
    onError: (name, error) => errors.push(`${name}: ${String(error)}`),
  });
  await workers.queue.send([message('flaky', 7)]);
  await reached(3);
  expect(errors).toEqual(['flaky: Error: no route to device']);
});

test('a mitigator that the configuration has lost still gets its commands', async () => {
  const { seen, add, reached } = collector();
  workers = startMitigatorWorkers({
    names: [],
    queue: (name) => parts.queue(name),
    handle: (command) => {
      add(command);
      return Promise.resolve('done');
    },
    onError: (_name, error) => {
      throw error;
    },
  });
  await workers.queue.send([message('gone', 1)]);
  await reached(1);
  expect(seen).toEqual(['gone 1']);
});
