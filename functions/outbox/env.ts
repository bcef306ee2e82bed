/** What the deployment has to set; the construct that deploys the function takes this type. */
import { z } from 'zod';

export const outboxEnv = z.object({
  TABLE_NAME: z.string().min(1),
  /** FIFO queue of mitigator commands. */
  QUEUE_URL: z.url(),
});

export type OutboxEnv = z.input<typeof outboxEnv>;
