/** AWS Lambda, every minute: the environment wired to the app. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import middy from '@middy/core';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { createLambdaFunctions } from '#adapters/lambda/functions.ts';
import type { MitigationRequestEvent } from '#core/ports/mitigation-request.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { logLine } from '../middleware/log-line.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { createSweeper } from './app.ts';
import { sweeperEnv } from './env.ts';
import { createStoppedAttacks } from './stopped-attacks.ts';

const env = readEnvironment(sweeperEnv, process.env);

const functions = createLambdaFunctions({
  client: new LambdaClient({ maxAttempts: 1 }),
  mitigationRequestName: env.MITIGATION_REQUEST_FUNCTION,
  // Time needs nobody's permission: the sweeper never asks the authorizer.
  authorizerName: 'none',
});

const deps = {
  store: createDynamoStore({
    client: new DynamoDBClient({}),
    tableName: env.TABLE_NAME,
    clock: systemClock,
  }),
  requestMitigation: (event: MitigationRequestEvent) => functions.requestMitigation(event),
  clock: systemClock,
};
const sweep = createSweeper(deps);
const endStoppedAttacks = createStoppedAttacks(deps);

export const handler = middy<unknown, { readonly due: number; readonly stopped: number }>()
  .use(loggedFailure('sweeper'))
  .handler(async () => {
    const due = await sweep();
    const stopped = await endStoppedAttacks();
    if (due + stopped > 0) logLine({ level: 'info', function: 'sweeper', due, stopped });
    return { due, stopped };
  });
