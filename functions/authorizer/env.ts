/** What the deployment has to set; the construct that deploys the function takes this type. */
import { z } from 'zod';

export const authorizerEnv = z.object({ TABLE_NAME: z.string().min(1) });

export type AuthorizerEnv = z.input<typeof authorizerEnv>;
