/** Where a peer program is. A suite names its peers at its top, so that test/run.ts can read them before it starts. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PEERS, type PeerName } from './peers.ts';

/** Debian keeps system programs out of an ordinary user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The full path of the program. Throws, with the package to install, when it is not there: no suite skips in silence. */
export function requirePeer(name: PeerName): string {
  const path = findPeer(name);
  if (path === undefined)
    throw new Error(
      `${name} is not installed: it comes with the Debian package ${PEERS[name].debianPackage}`,
    );
  return path;
}

export function findPeer(name: PeerName): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
