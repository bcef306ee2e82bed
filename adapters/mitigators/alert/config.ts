/** `driver: alert` in config.yaml: the provider's operators are the mitigator. */
import { z } from 'zod';

export const alertConfigSchema = z.strictObject({ driver: z.literal('alert') }).meta({
  description: 'Hands work orders to operators and waits for their word (tocsin mitigator orders).',
});

export type AlertConfig = z.output<typeof alertConfigSchema>;
