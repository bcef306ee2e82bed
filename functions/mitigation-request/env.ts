/** What the deployment has to set; the construct that deploys the function takes this type. */
import { z } from 'zod';

export const mitigationRequestEnv = z.object({
  TABLE_NAME: z.string().min(1),
  /** JSON, addresses by name: `{"www.demo.example":["192.0.2.7"]}`. Other names cannot be resolved. */
  RESOLVER_TABLE: z
    .string()
    .default('{}')
    .transform((text) => z.record(z.string(), z.array(z.string())).parse(JSON.parse(text))),
});

export type MitigationRequestEnv = z.input<typeof mitigationRequestEnv>;
