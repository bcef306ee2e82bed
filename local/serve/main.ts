/** `npm start`: `tocsin serve` without the command's name. */
import { runCommandLine } from '../cli/program.ts';

process.exitCode = await runCommandLine(['serve', ...process.argv.slice(2)]);
