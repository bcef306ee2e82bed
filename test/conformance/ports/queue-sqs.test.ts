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
