import type { MitigatorCommand } from '#core/ports/queue.ts';
import type { Handled } from '#functions/mitigator/app.ts';
import { type BatchRecord, handleBatch } from '#functions/mitigator/batch.ts';
import { CUID, DEMO } from '#test/support/records.ts';

const record = (messageId: string, group: string, mid: number): BatchRecord => ({
  messageId,
  receiptHandle: `receipt-${messageId}`,
  body: JSON.stringify({ domainId: DEMO, cuid: CUID, mid, generation: 1, mitigator: 'edge' }),
  attributes: { MessageGroupId: group },
});

async function run(records: readonly BatchRecord[], outcome: (mid: number) => Handled) {
  const handled: number[] = [];
  const released: (readonly [string, number])[] = [];
  const errors: unknown[] = [];
  const answer = await handleBatch(
    {
      handle: (command: MitigatorCommand) => {
        handled.push(command.mid);
        return Promise.resolve(outcome(command.mid));
      },
      release: (receipt, seconds) => {
        released.push([receipt, seconds]);
        return Promise.resolve();
      },
      onError: (error) => errors.push(error),
    },
    { Records: records },
  );
  return { handled, released, errors, failures: answer.batchItemFailures.map((one) => one.itemIdentifier) };
}

test('what is done is not delivered again', async () => {
  expect(await run([record('a', 'one', 1), record('b', 'two', 2)], () => 'done')).toEqual({
    handled: [1, 2],
    released: [],
    errors: [],
    failures: [],
  });
});

test('behind what has to come again its group waits, untouched, and no other group does', async () => {
  const records = [
    record('a', 'one', 1),
    record('b', 'one', 2),
    record('c', 'one', 3),
    record('d', 'two', 4),
  ];
  const result = await run(records, (mid) => (mid === 2 ? { retryAfterSeconds: 8 } : 'done'));
  expect(result.handled.sort()).toEqual([1, 2, 4]);
  expect(result.released).toEqual([['receipt-b', 8]]);
  expect(result.failures).toEqual(['b', 'c']);
});

test('a command that throws, or is none, is delivered again and told', async () => {
  const nonsense = { ...record('n', 'one', 1), body: '{"mid":"x"}' };
  const result = await run([nonsense, record('a', 'two', 1)], () => {
    throw new Error('store down');
  });
  expect(result.failures.sort()).toEqual(['a', 'n']);
  expect(result.errors).toHaveLength(2);
});
