/** AWS Lambda, fed by the FIFO queue of mitigator commands with partial batch responses. */
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { createSqsQueue } from '#adapters/queue/sqs.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { logLine } from '../middleware/log-line.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { type BatchAnswer, type BatchEvent, handleBatch } from './batch.ts';
import { mitigatorEnv } from './env.ts';
import { mitigatorFromEnvironment } from './from-environment.ts';

const env = readEnvironment(mitigatorEnv, process.env);
const app = mitigatorFromEnvironment(env);
const queue = createSqsQueue({ client: new SQSClient({}), queueUrl: env.QUEUE_URL });

export const handler = middy<BatchEvent, BatchAnswer>()
  .use(loggedFailure('mitigator'))
  .handler((event: BatchEvent) =>
    handleBatch(
      {
        handle: (command) => app.handle(command),
        release: (receipt, delaySeconds) => queue.release(receipt, delaySeconds),
        onError: (error) => logLine({ level: 'error', function: 'mitigator', error: String(error) }),
      },
      event,
    ),
  );
