/** What the deployment has to set; the construct that deploys the function takes this type. */
import { z } from 'zod';

export const sweeperEnv = z.object({
  TABLE_NAME: z.string().min(1),
  /** Name or ARN of `functions/mitigation-request`: only that one writes mitigations. */
  MITIGATION_REQUEST_FUNCTION: z.string().min(1),
});

export type SweeperEnv = z.input<typeof sweeperEnv>;
