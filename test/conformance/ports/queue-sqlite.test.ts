/** SQLite keeps the queue contract; beyond it, what a receiver that died had out comes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '#adapters/sqlite/store.ts';
import { manualClock } from '#test/support/manual-clock.ts';
import { describeQueue } from './queue-contract.ts';

describeQueue('SQLite', async () => {
  const clock = manualClock();
  const parts = await openSqlite({ path: ':memory:', clock });
  return {
    queue: parts.queue('commands'),
    pass: (seconds) => {
      clock.advance(seconds);
      return Promise.resolve();
    },
    end: () => parts.close(),
  };
});

describe('the queue in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-queue-'));
  const path = join(folder, 'tocsin.db');
  afterAll(() => rmSync(folder, { recursive: true }));

  test('gives a new process at once what the last one had out, and keeps what it had acknowledged', async () => {
    const clock = manualClock();
    const before = await openSqlite({ path, clock });
    const queue = before.queue('commands');
    await queue.send(['1', '2'].map((body) => ({ group: body, deduplicationId: body, body })));
    const [first] = await queue.receive(2, 3600, 0);
    await queue.acknowledge(first?.receipt ?? '');
    await before.close();
    const after = await openSqlite({ path, clock });
    const deliveries = await after.queue('commands').receive(10, 30, 0);
    expect(deliveries.map(({ body, attempt }) => [body, attempt])).toEqual([['2', 2]]);
    await after.close();
  });

  test('keeps queues apart', async () => {
    const parts = await openSqlite({ path, clock: manualClock() });
    await parts.queue('one').send([{ group: 'g', deduplicationId: 'x', body: 'one' }]);
    await parts.queue('two').send([{ group: 'g', deduplicationId: 'x', body: 'two' }]);
    expect((await parts.queue('two').receive(10, 30, 0)).map(({ body }) => body)).toEqual(['two']);
    await parts.close();
  });

  test('an acknowledgement that comes after the message was delivered to somebody else does nothing', async () => {
    const clock = manualClock();
    const parts = await openSqlite({ path: ':memory:', clock });
    const queue = parts.queue('commands');
    await queue.send([{ group: 'g', deduplicationId: 'x', body: 'work' }]);
    const [late] = await queue.receive(1, 10, 0);
    clock.advance(10);
    const [current] = await queue.receive(1, 10, 0);
    await queue.acknowledge(late?.receipt ?? '');
    clock.advance(10);
    expect((await queue.receive(1, 10, 0)).map(({ attempt }) => attempt)).toEqual([3]);
    expect(current?.attempt).toBe(2);
    await parts.close();
  });
});
