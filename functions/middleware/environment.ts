/** The environment of one function as its `env.ts` describes it; a missing or wrong variable stops the start. */
import { type ZodType, z } from 'zod';

export function readEnvironment<Env>(schema: ZodType<Env>, environment: NodeJS.ProcessEnv): Env {
  const parsed = schema.safeParse(environment);
  if (!parsed.success) throw new Error(`environment: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
