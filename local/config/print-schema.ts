/** Prints the JSON schema of config.yaml; its output is kept as docs/config.schema.json. */
import { configJsonSchema } from './schema.ts';

process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
