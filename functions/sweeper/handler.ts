/** AWS Lambda, every minute: the environment wired to the app. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import middy from '@middy/core';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { createLambdaFunctions } from '#adapters/lambda/functions.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { logLine } from '../middleware/log-line.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { createSweeper } from './app.ts';
import { sweeperEnv } from './env.ts';

const env = readEnvironment(sweeperEnv, process.env);

const functions = createLambdaFunctions({
  client: new LambdaClient({ maxAttempts: 1 }),
  mitigationRequestName: env.MITIGATION_REQUEST_FUNCTION,
  // Time needs nobody's permission: the sweeper never asks the authorizer.
  authorizerName: 'none',
});

const sweep = createSweeper({
  store: createDynamoStore({
    client: new DynamoDBClient({}),
    tableName: env.TABLE_NAME,
    clock: systemClock,
  }),
  requestMitigation: (event) => functions.requestMitigation(event),
  clock: systemClock,
});

export const handler = middy<unknown, { readonly due: number }>()
  .use(loggedFailure('sweeper'))
  .handler(async () => {
    const due = await sweep();
    if (due > 0) logLine({ level: 'info', function: 'sweeper', due });
    return { due };
  });
