/** `tocsin doctor`: what could keep the provider of this home from working, each with its fix. */
import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { CommandFailed } from '#agent-edge/cli/command-failed.ts';
import { formatProblem, readConfig } from '../config/read.ts';
import { type Home, homeOf } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import { readServerCredentials } from '../pki/credentials.ts';
import { readReady } from '../serve/ready.ts';
import { type JsonOption, print, table, withExamples } from './command-line.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found; with the fix when it is not well. */
  readonly detail: string;
}

const RENEW_WITHIN_MS = 30 * 86_400_000;
const HEALTH_MS = 3000;
/** Bytes under which a disk is as good as full. */
const LEAST_ROOM = 64 * 1024 * 1024;

export function doctorCommand(): Command {
  return withExamples(new Command('doctor'), ['tocsin doctor', 'tocsin doctor --json']).action(
    async (options: JsonOption) => {
      const home = homeOf(process.env);
      const findings = [
        runtime(),
        homeFolder(home),
        config(home),
        ...certificates(home),
        await provider(home),
      ];
      const rows = findings.map(({ check, ok, detail }) => [ok ? 'ok' : 'PROBLEM', check, detail]);
      print(options, findings, table([['', 'CHECK', 'DETAIL'], ...rows]));
      const problems = findings.filter(({ ok }) => !ok).length;
      if (problems > 0) throw new CommandFailed(`${problems} of ${findings.length} checks found a problem`);
    },
  );
}

function runtime(): Finding {
  const { node, openssl } = process.versions;
  return {
    check: 'runtime',
    ok: Number.parseInt(node, 10) === 24,
    detail: `Node ${node} with OpenSSL ${openssl}; Node 24 is needed`,
  };
}

function homeFolder({ folder }: Home): Finding {
  const check = 'home';
  if (!existsSync(folder))
    return { check, ok: true, detail: `${folder} is not there yet: the first start makes it` };
  const problem = homeProblem(folder);
  return { check, ok: problem === undefined, detail: problem ?? `${folder} is its owner's alone` };
}

function homeProblem(folder: string): string | undefined {
  if ((statSync(folder).mode & 0o077) !== 0) return `${folder} is open to others: chmod 700 ${folder}`;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'EROFS' ? 'its file system is read-only' : 'not its owner';
    return `${folder} cannot be written by this user: ${why}`;
  }
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < LEAST_ROOM
    ? `the disk of ${folder} is full, or nearly: nothing new can be accepted until there is room`
    : undefined;
}

function config(home: Home): Finding {
  const check = 'config.yaml';
  if (!existsSync(home.config)) return { check, ok: true, detail: 'not there: defaults hold' };
  const read = readConfig(readFileSync(home.config, 'utf8'));
  return read.ok
    ? { check, ok: true, detail: 'can be read' }
    : {
        check,
        ok: false,
        detail: read.error.map((problem) => formatProblem(home.config, problem)).join('; '),
      };
}

function certificates(home: Home): readonly Finding[] {
  if (!existsSync(home.pki))
    return [{ check: 'pki', ok: true, detail: `${home.pki} is not there yet: the first start makes it` }];
  try {
    readServerCredentials(home);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return [{ check: 'pki', ok: false, detail: error.message }];
  }
  return ['ca.pem', 'server.pem'].map((name) => {
    const { validToDate } = new X509Certificate(readFileSync(join(home.pki, name)));
    const ok = validToDate.getTime() - Date.now() > RENEW_WITHIN_MS;
    const fix = ok
      ? ''
      : ': remove pki/ and start again to make new ones, then hand out new client certificates';
    return { check: name, ok, detail: `valid until ${validToDate.toISOString()}${fix}` };
  });
}

async function provider(home: Home): Promise<Finding> {
  const check = 'provider';
  const ready = readReady(home);
  if (ready === undefined) return { check, ok: true, detail: 'is not running: tocsin serve starts it' };
  try {
    const response = await fetch(`${ready.admin}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) });
    return {
      check,
      ok: response.ok,
      detail: `${ready.admin}/healthz says ${(await response.text()).trim()}`,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { check, ok: false, detail: `${ready.admin} does not answer (${why}): start it again` };
  }
}
