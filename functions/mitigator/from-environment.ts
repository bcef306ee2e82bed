/** The environment wired to the app: for the function that takes commands, and for the reconciler. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { z } from 'zod';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { openOrders } from '#adapters/mitigators/alert/orders.ts';
import { buildMitigators } from '#adapters/mitigators/registry.ts';
import { logLine } from '../middleware/log-line.ts';
import { createMitigator, type MitigatorApp } from './app.ts';
import type { devicesEnv } from './env.ts';

export function mitigatorFromEnvironment(env: z.output<typeof devicesEnv>): MitigatorApp {
  return createMitigator({
    store: createDynamoStore({
      client: new DynamoDBClient({}),
      tableName: env.TABLE_NAME,
      clock: systemClock,
    }),
    mitigators: buildMitigators(env.MITIGATORS, {
      clock: systemClock,
      orders: openOrders(env.ORDERS_FOLDER),
      notify: (line) => logLine({ level: 'warn', function: 'mitigator', order: JSON.parse(line) as unknown }),
    }),
    clock: systemClock,
    trace: (event) => logLine({ level: 'warn', function: 'mitigator', ...event }),
  });
}
