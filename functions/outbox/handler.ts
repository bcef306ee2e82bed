/** AWS Lambda, fed by the table's stream with partial batch responses: the environment wired to the app. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { createSqsQueue } from '#adapters/queue/sqs.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { logLine } from '../middleware/log-line.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { createOutbox } from './app.ts';
import { outboxEnv } from './env.ts';
import { publishStream, type StreamAnswer, type StreamEvent } from './stream.ts';

const env = readEnvironment(outboxEnv, process.env);

const publish = createOutbox({
  store: createDynamoStore({
    client: new DynamoDBClient({}),
    tableName: env.TABLE_NAME,
    clock: systemClock,
  }),
  queue: createSqsQueue({ client: new SQSClient({}), queueUrl: env.QUEUE_URL }),
});

export const handler = middy<StreamEvent, StreamAnswer>()
  .use(loggedFailure('outbox'))
  .handler((event: StreamEvent) =>
    publishStream(publish, event, (error) =>
      logLine({ level: 'error', function: 'outbox', error: String(error) }),
    ),
  );
