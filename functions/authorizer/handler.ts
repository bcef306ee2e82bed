/** AWS Lambda: the environment wired to the app. Invoked synchronously by the edge, once per session. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { z } from 'zod';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import type { AuthorizerAnswer, AuthorizerRequest } from '#core/ports/authorizer.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { validated } from '../middleware/validated.ts';
import { createAuthorizer } from './app.ts';
import { authorizerEnv } from './env.ts';

const env = readEnvironment(authorizerEnv, process.env);

const authorize = createAuthorizer({
  store: createDynamoStore({
    client: new DynamoDBClient({}),
    tableName: env.TABLE_NAME,
    clock: systemClock,
  }),
});

const authorizerRequest: z.ZodType<AuthorizerRequest> = z.strictObject({
  identityId: z.string().min(1).max(64),
});

export const handler = middy<AuthorizerRequest, AuthorizerAnswer>()
  .use(loggedFailure('authorizer'))
  .use(validated(authorizerRequest))
  .handler((event: AuthorizerRequest) => authorize(event));
