/** Mids taken by several processes at once: none twice, none lost to a lock. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROCESSES = 4;
const MIDS_EACH = 25;
const SCRIPT = `
  import { AgentState } from './agent-edge/client/agent-state.ts';
  const state = new AgentState(process.argv[1]);
  for (let count = 0; count < ${MIDS_EACH}; count++) console.log(state.takeMid('dots.example:4646', 'cuid', true));
  state.close();
`;

test('processes that share a home never take the same mid', async () => {
  const home = mkdtempSync(join(tmpdir(), 'agent-'));
  try {
    const run = promisify(execFile);
    const ended = await Promise.all(
      Array.from({ length: PROCESSES }, () =>
        run(process.execPath, ['--input-type=module-typescript', '--eval', SCRIPT, home]),
      ),
    );
    const mids = ended.flatMap(({ stdout }) => stdout.trim().split('\n').map(Number));
    expect(mids).toHaveLength(PROCESSES * MIDS_EACH);
    expect(new Set(mids).size).toBe(mids.length);
  } finally {
    rmSync(home, { recursive: true });
  }
}, 60_000);
