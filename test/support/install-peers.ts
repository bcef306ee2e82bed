/** Brings missing peers with apt where that is ours to do: as root, on Debian. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findPeer } from './peer.ts';
import { PEERS, type PeerName } from './peers.ts';

const APT_TIMEOUT_MS = 240_000;

/** Which of the named peers are missing after everything that could be done. */
export function installPeers(
  names: readonly PeerName[],
  progress: (line: string) => void,
): readonly PeerName[] {
  const missing = names.filter((name) => findPeer(name) === undefined);
  if (missing.length === 0 || !mayInstall()) return missing;
  const packages = [...new Set(missing.map((name) => PEERS[name].debianPackage))].sort();
  progress(`installing ${packages.join(' ')} with apt-get …`);
  const started = Date.now();
  const failure = aptGet(['update']) ?? aptGet(['install', '--yes', '--no-install-recommends', ...packages]);
  progress(failure ?? `installed in ${Math.round((Date.now() - started) / 1000)} s`);
  return names.filter((name) => findPeer(name) === undefined);
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

/** Undefined when it went well, else what apt-get said. */
function aptGet(command: readonly string[]): string | undefined {
  const run = spawnSync('/usr/bin/apt-get', ['-qq', ...command], {
    encoding: 'utf8',
    timeout: APT_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (run.status === 0) return undefined;
  return `apt-get ${command[0] ?? ''} failed: ${(run.error?.message ?? run.stderr).trim()}`;
}
