#!/usr/bin/env node
// The one command line. It runs on the Node that this package pins, whatever Node has started it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
const major = Number(process.versions.node.split('.')[0]);

const runtime = existsSync(pinned) ? pinned : major >= 24 ? process.execPath : undefined;
if (runtime === undefined) {
  process.stderr.write(
    `tocsin needs Node 24 and runs here on ${process.versions.node}: npm ci brings it on Linux; elsewhere install Node 24\n`,
  );
  process.exit(1);
}
const main = join(root, 'local/cli/main.ts');
if (runtime === process.execPath) await import(main);
else runIn(runtime);

/** A process of its own, whose signals and end are ours. */
function runIn(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
  );
}
