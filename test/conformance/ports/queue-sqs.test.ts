/** SQS keeps the queue contract, against an engine that speaks its API. */
import { setTimeout as pause } from 'node:timers/promises';
import { createSqsQueue } from '#adapters/queue/sqs.ts';
import { type SqsEngine, startSqsEngine } from '#test/support/sqs-engine.ts';
import { describeQueue } from './queue-contract.ts';

let engine: SqsEngine;
beforeAll(async () => {
  engine = await startSqsEngine();
}, 20_000);
afterAll(() => engine.stop());

describeQueue('SQS', async () => ({
  queue: createSqsQueue({ client: engine.client, queueUrl: await engine.createQueue() }),
  // The engine's own clock runs on: its timers are looked at a little late.
  pass: (seconds) => pause(seconds * 1000 + 300),
  end: () => Promise.resolve(),
}));

test('groups that SQS would refuse are told apart under names that it takes', async () => {
  const queue = createSqsQueue({ client: engine.client, queueUrl: await engine.createQueue() });
  const long = `demo#${'x'.repeat(200)}`;
  const groups = ['demo#cuid#1#edge', 'demo#cüid#1#edge', `${long}#1`, `${long}#2`];
  await queue.send(groups.map((group) => ({ group, deduplicationId: group, body: group })));
  const deliveries = await queue.receive(10, 30, 0);
  expect(deliveries.map(({ body }) => body)).toEqual(groups);
  const names = deliveries.map(({ group }) => group);
  for (const name of names) expect(name).toMatch(/^[\x21-\x7e]{1,128}$/);
  expect(new Set(names).size).toBe(4);
  expect(names[0]).toBe('demo#cuid#1#edge');
});
