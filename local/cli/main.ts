/** `tocsin`: the commands of the operator, and those of the customer's agent. */
import { runCommandLine } from './program.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
