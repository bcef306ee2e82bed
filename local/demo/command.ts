/** Programs of the system, run to their end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Standard output. Rejects, with what the program said, when it fails. */
export async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { encoding: 'utf8' });
  return stdout;
}
