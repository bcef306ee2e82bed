/**
 * `npm test [-- PATTERN…]`, `npm run test:long`: installs the peers that suites name, runs every suite that can run,
 * lists the others by name, and ends with one line `N passed, N failed`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installPeers } from './support/install-peers.ts';
import { PEERS, type PeerName } from './support/peers.ts';
import { findSuites, type Suite } from './support/suites.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Suites that start processes run after the pure ones: they mostly wait, and then have the processors to themselves. */
const STAGES = [
  {
    folders: ['unit', 'vectors', 'property', 'conformance', 'simulation', 'infra', 'fuzz'],
    jest: ['--maxWorkers=2'],
  },
  { folders: ['interop', 'e2e'], jest: ['--maxWorkers=2', '--testTimeout=60000'] },
] as const;

/** How long jest may take to end after its last suite. */
const LINGER_MS = 10_000;
const WATCH_MS = 500;

interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const { values, positionals: patterns } = parseArgs({
  options: { long: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const suites = findSuites(
  ROOT,
  STAGES.flatMap((stage) => stage.folders),
);
const needed = [...new Set(suites.flatMap((suite) => suite.peers))].sort();
const missing = installPeers(needed, say);
const blocked = suites.filter((suite) => suite.peers.some((peer) => missing.includes(peer)));

const tallies: Tally[] = [];
for (const stage of STAGES) tallies.push(await runStage(stage.folders, stage.jest));
for (const suite of blocked) say(`could not run ${suite.path}: ${packagesFor(suite, missing)}`);
const missingIsFailure = process.env['CI'] === 'true';
const passed = sum(tallies.map((tally) => tally.passed));
const failed = sum(tallies.map((tally) => tally.failed)) + (missingIsFailure ? blocked.length : 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function runStage(folders: readonly string[], jestArguments: readonly string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-test-'));
  const results = join(folder, 'results.json');
  try {
    const jest = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(ROOT, 'node_modules/jest/bin/jest.js'),
        ...jestArguments,
        '--passWithNoTests',
        '--json',
        `--outputFile=${results}`,
        ...blocked.map((suite) => `--testPathIgnorePatterns=${suite.path.replaceAll('.', '\\.')}$`),
        '--selectProjects',
        ...folders,
        ...(patterns.length === 0 ? [] : ['--testPathPatterns', ...patterns]),
      ],
      {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...(values.long ? { TOCSIN_LONG: '1' } : {}) },
      },
    );
    return tallyOf(results, await endOf(jest, results));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Exit code; null when a suite has left something running, and jest had to be ended after its results were there. */
async function endOf(jest: ChildProcess, results: string): Promise<number | null> {
  let lingering: NodeJS.Timeout | undefined;
  const watch = setInterval(() => {
    if (lingering !== undefined || !existsSync(results)) return;
    lingering = setTimeout(() => {
      say('a suite has left something running: jest is ended, and that counts as a failure');
      jest.kill('SIGKILL');
    }, LINGER_MS);
  }, WATCH_MS);
  await once(jest, 'exit');
  clearInterval(watch);
  clearTimeout(lingering);
  return jest.exitCode;
}

/** A suite that does not even load, and a jest that died without results, count as failures. */
function tallyOf(results: string, exitCode: number | null): Tally {
  if (!existsSync(results)) return { passed: 0, failed: exitCode === 0 ? 0 : 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(results, 'utf8'),
  ) as { numPassedTests: number; numFailedTests: number; numRuntimeErrorTestSuites: number };
  const failures = numFailedTests + numRuntimeErrorTestSuites;
  const lingered = exitCode === null || (failures === 0 && exitCode !== 0);
  return { passed: numPassedTests, failed: failures + (lingered ? 1 : 0) };
}

function packagesFor(suite: Suite, missingPeers: readonly PeerName[]): string {
  return suite.peers
    .filter((peer) => missingPeers.includes(peer))
    .map((peer) => `${peer} is missing (package ${PEERS[peer].debianPackage})`)
    .join(', ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
