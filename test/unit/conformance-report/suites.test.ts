import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPeer, requirePeer } from '#test/support/peer.ts';
import { findSuites } from '#test/support/suites.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tocsin-suites-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** In two parts, as this file is itself a suite whose calls are read. */
const calling = (name: string): string => ['requirePeer', `('${name}');\n`].join('');

test('a suite needs the peers it names, and those named by what it imports of test/', () => {
  write('test/interop/a.test.ts', "import { x } from '#test/support/x.ts';\n" + calling('openssl'));
  write('test/support/x.ts', "import { y } from './y.ts';\n" + calling('nft'));
  write('test/support/y.ts', "import { x } from './x.ts';\n" + calling('ip'));
  write('test/unit/b.test.ts', "import { ok } from '#core/base/result.ts';\n");
  expect(findSuites(root, ['unit', 'interop', 'e2e'])).toEqual([
    { path: 'test/interop/a.test.ts', peers: ['ip', 'nft', 'openssl'] },
    { path: 'test/unit/b.test.ts', peers: [] },
  ]);
});

test('a program that the table of peers lacks is a mistake', () => {
  write('test/interop/a.test.ts', calling('hping3'));
  expect(() => findSuites(root, ['interop'])).toThrow('add it to test/support/peers.ts');
});

test('a missing peer is told with the package that brings it', () => {
  const peer = 'gobgp';
  const path = process.env['PATH'];
  process.env['PATH'] = root;
  try {
    expect(findPeer(peer)).toBeUndefined();
    expect(() => requirePeer(peer)).toThrow(
      'gobgp is not installed: it comes with the Debian package gobgpd',
    );
  } finally {
    process.env['PATH'] = path;
  }
});
