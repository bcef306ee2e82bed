/** Programs of the demo: run to their end, or kept running until they are stopped. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Standard output. Rejects, with what the program said, when it fails. */
export async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { encoding: 'utf8' });
  return stdout;
}

/** Stops a child and waits for its end; kills it when it takes longer than `patienceMs`. */
export async function stopChild(child: ChildProcess, patienceMs = 5000): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(timer);
  return child.exitCode;
}

/** Starts a program of ours under the node that runs this, optionally inside a network namespace. */
export function startNode(
  script: string,
  args: readonly string[],
  options: { readonly namespace?: string; readonly env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const within = options.namespace === undefined ? [] : ['ip', 'netns', 'exec', options.namespace];
  const [program = '', ...rest] = [...within, process.execPath, script, ...args];
  return spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env });
}
