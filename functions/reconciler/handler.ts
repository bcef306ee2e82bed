/** AWS Lambda, every minute: counters, leases and proof from every device, and what device and store do not agree on. */
import middy from '@middy/core';
import { readEnvironment } from '../middleware/environment.ts';
import { loggedFailure } from '../middleware/logged-failure.ts';
import { mitigatorFromEnvironment } from '../mitigator/from-environment.ts';
import { reconcilerEnv } from './env.ts';

const app = mitigatorFromEnvironment(readEnvironment(reconcilerEnv, process.env));

export const handler = middy()
  .use(loggedFailure('reconciler'))
  .handler(async () => {
    await app.reconcile();
  });
