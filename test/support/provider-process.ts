/** The provider as a process, in a home of its own, and the command line beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ready } from '#local/serve/ready.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProviderProcess {
  readonly home: string;
  readonly ready: Ready;
  readonly pid: number;
  /** Of the signal channel, on both transports. */
  readonly signalPort: number;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

const START_MS = 15_000;
const ANY_PORTS = ['--signal-port', '0', '--data-port', '0', '--admin-port', '0'];

export function makeTemporaryHome(config?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-home-'));
  if (config !== undefined) writeFileSync(join(folder, 'config.yaml'), config);
  return folder;
}

/** PEM texts of the client that a first start makes for `demo`. */
export function demoCredentials(home: string): {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
} {
  const read = (...path: string[]): string => readFileSync(join(home, 'pki', ...path), 'utf8');
  return { ca: read('ca.pem'), cert: read('clients', 'demo.pem'), key: read('clients', 'demo.key') };
}

export const removeHome = (home: string): void => rmSync(home, { recursive: true, force: true });

/** Rejects with what it said when it ends instead of getting ready. */
export async function startProviderProcess(
  home: string,
  args: readonly string[] = [],
): Promise<ProviderProcess> {
  const child = spawnNode('local/serve/main.ts', [...ANY_PORTS, ...args], home);
  const ended = collect(child);
  const ready = join(home, 'ready.json');
  const deadline = Date.now() + START_MS;
  // A provider that was killed has left its ready.json behind.
  while (readyOf(ready)?.pid !== child.pid) {
    if (child.exitCode !== null) throw new Error(`the provider ended: ${(await ended).stderr}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`no ready.json after ${START_MS} ms: ${(await ended).stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const found = readyOf(ready) as Ready;
  return {
    home,
    ready: found,
    signalPort: Number(found.signal.udp.slice(found.signal.udp.lastIndexOf(':') + 1)),
    pid: child.pid ?? 0,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

const readyOf = (path: string): Ready | undefined =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Ready) : undefined;

/** `tocsin …` to its end, as `npx tocsin` runs it. */
export function tocsin(home: string, ...args: readonly string[]): Promise<Ended> {
  return collect(spawnNode('local/bin/tocsin.js', args, home));
}

function spawnNode(script: string, args: readonly string[], home: string): ChildProcess {
  return spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TOCSIN_HOME: home, NO_COLOR: '1' },
  });
}

async function collect(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  await once(child, 'close');
  return { code: child.exitCode, ...texts };
}
