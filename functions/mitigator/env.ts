/** What the deployment has to set; the constructs that deploy this function and the reconciler take these types. */
import { z } from 'zod';
import { mitigatorConfigSchema } from '#adapters/mitigators/registry.ts';

export const devicesEnv = z.object({
  TABLE_NAME: z.string().min(1),
  /** JSON, as `mitigators:` of config.yaml. */
  MITIGATORS: z
    .string()
    .default('{}')
    .transform((text) => z.record(z.string(), mitigatorConfigSchema).parse(JSON.parse(text))),
  /** Work orders of the alert driver: a folder that outlives the function, on a shared file system. */
  ORDERS_FOLDER: z.string().min(1),
});

export const mitigatorEnv = devicesEnv.extend({
  /** The FIFO queue of mitigator commands that feeds the function. */
  QUEUE_URL: z.url(),
});

export type DevicesEnv = z.input<typeof devicesEnv>;
export type MitigatorEnv = z.input<typeof mitigatorEnv>;
