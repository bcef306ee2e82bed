/** Which peers a suite needs, read from its source and from what it imports of test/: nothing is run for it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isPeerName, type PeerName } from './peers.ts';

export interface Suite {
  /** Relative to the repository, e.g. `test/interop/gobgp.test.ts`. */
  readonly path: string;
  readonly peers: readonly PeerName[];
}

const PEER_CALL = /\brequirePeer\(\s*'([^']+)'/g;
const IMPORT = /\bfrom '(\.{1,2}\/[^']+|#test\/[^']+)'/g;

/** Every `*.test.ts` below the given folders of test/. Throws when one names a program that the table of peers lacks. */
export function findSuites(root: string, folders: readonly string[]): readonly Suite[] {
  return folders
    .map((folder) => join(root, 'test', folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith('.test.ts'))
    .sort()
    .map((path) => ({ path: relative(root, path), peers: [...peersOf(root, path, new Set())].sort() }));
}

function peersOf(root: string, path: string, seen: Set<string>): Set<PeerName> {
  const peers = new Set<PeerName>();
  if (seen.has(path) || !existsSync(path)) return peers;
  seen.add(path);
  const source = readFileSync(path, 'utf8');
  for (const [, name = ''] of source.matchAll(PEER_CALL)) {
    if (!isPeerName(name))
      throw new Error(`${relative(root, path)} requires ${name}: add it to test/support/peers.ts`);
    peers.add(name);
  }
  for (const [, specifier = ''] of source.matchAll(IMPORT)) {
    const target = specifier.startsWith('#test/')
      ? join(root, 'test', specifier.slice('#test/'.length))
      : resolve(dirname(path), specifier);
    for (const peer of peersOf(root, target, seen)) peers.add(peer);
  }
  return peers;
}
