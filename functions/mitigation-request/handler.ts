/** AWS Lambda: the environment wired to the app. Invoked synchronously by the edge, the sweeper and the alarm trigger. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { tableResolver } from '#adapters/dns/table-resolver.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { systemRandom } from '#adapters/random/system-random.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import { readEnvironment } from '../middleware/environment.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { validated } from '../middleware/validated.ts';
import { createMitigationRequest } from './app.ts';
import { decisionLog } from './decision-log.ts';
import { mitigationRequestEnv } from './env.ts';
import { mitigationRequestEvent } from './event-schema.ts';

const env = readEnvironment(mitigationRequestEnv, process.env);

const requestMitigation = createMitigationRequest({
  store: createDynamoStore({
    client: new DynamoDBClient({}),
    tableName: env.TABLE_NAME,
    clock: systemClock,
    random: systemRandom,
  }),
  resolver: tableResolver(env.RESOLVER_TABLE),
  clock: systemClock,
  random: systemRandom,
});

export const handler = middy<MitigationRequestEvent, MitigationRequestResult>()
  .use(loggedFailure('mitigation-request'))
  .use(validated(mitigationRequestEvent))
  .use(decisionLog())
  .handler((event: MitigationRequestEvent) => requestMitigation(event));
