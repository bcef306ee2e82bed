/**
 * `npm run demo [-- --stage webhook]`: one attack, from the first packet to the all-clear. Exit 0 only if every step was
 * observed. Where the kernel allows it the demo runs itself once more inside namespaces of its own, which end with it.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { homeAt } from '../home.ts';
import { isolation, makeNamespaceStage, withSystemPath } from './namespace-stage.ts';
import type { Stage } from './stage.ts';
import { tellStory } from './story.ts';
import { Timeline } from './timeline.ts';
import { makeWebhookStage } from './webhook-stage.ts';

const TIME_LIMIT_MS = 90_000;
/** What the outer demo tells the inner one: the namespaces are there. */
const INSIDE = 'inside-namespaces';

const USAGE = `Usage: npm run demo [-- --stage webhook]

One attack, from the first packet to the all-clear, between network namespaces of this machine, or with --stage webhook
and where the kernel has none for us, over loopback with a stand-in for a scrubbing centre.
`;

const stageName = askedStage();
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));

const isInside = stageName === INSIDE;
const wrapper = isInside || stageName === 'webhook' ? undefined : isolation();
if (wrapper !== undefined) process.exitCode = await runInside(wrapper);
else process.exitCode = await play(isInside ? makeNamespaceStage : makeWebhookStage);

/** Ends the process when help was asked for, with 0, or what was asked for does not exist, with 2. */
function askedStage(): string | undefined {
  try {
    const { values } = parseArgs({
      options: { stage: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if ([undefined, 'webhook', INSIDE].includes(values.stage)) return values.stage;
    process.stderr.write(`there is no stage ${values.stage}\n\n${USAGE}`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
  process.exit(2);
}

/** The inner demo ends when its standard input does: also when this process is killed. */
async function runInside([program = '', ...args]: readonly string[]): Promise<number> {
  const inner = spawn(program, [...args, process.execPath, import.meta.filename, '--stage', INSIDE], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: withSystemPath(),
  });
  stopping.signal.addEventListener('abort', () => inner.stdin.end());
  return new Promise((resolve, reject) => {
    inner.on('error', reject);
    inner.on('exit', (code) => resolve(code ?? 1));
  });
}

async function play(makeStage: (folder: string) => Promise<Stage>): Promise<number> {
  if (isInside) process.stdin.on('end', () => stopping.abort(new Error('stopped'))).resume();
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
  const timeline = new Timeline((text) => process.stdout.write(text));
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-demo-'));
  let stage: Stage | undefined;
  try {
    stage = await makeStage(folder);
    await tellStory(stage, homeAt(join(folder, 'home')), timeline, signal);
    timeline.tell('demo', 'every step was observed');
    return 0;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    timeline.tell('demo', stopping.signal.aborted ? 'stopped; everything is taken down' : `FAILED: ${why}`);
    return 1;
  } finally {
    await stage?.close();
    rmSync(folder, { recursive: true, force: true });
    process.stdin.destroy();
  }
}
