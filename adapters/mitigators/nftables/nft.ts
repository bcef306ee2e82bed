/** The `nft` program: whole transactions in, JSON listings out. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LONGEST_RUN_MS = 10_000;

/** Debian keeps system programs out of an ordinary user's PATH. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

export class NftError extends Error {
  override readonly name = 'NftError';
}

export interface Nft {
  /** All of the commands or none. Rejects with NftError and nft's own words. */
  apply(commands: readonly object[]): Promise<void>;
  /** Objects of the table; none when there is no such table. */
  list(table: string): Promise<readonly NftObject[]>;
}

/** One entry of a JSON listing. Counters are decimal text: they exceed what a number holds exactly. */
export interface NftObject {
  readonly counter?: { readonly name: string; readonly packets: string; readonly bytes: string };
  readonly set?: { readonly name: string; readonly elem?: readonly NftElement[] };
  readonly chain?: { readonly name: string };
  readonly rule?: { readonly chain: string; readonly handle: number; readonly comment?: string };
}

export interface NftElement {
  readonly elem?: {
    readonly val: string | { readonly prefix?: { readonly addr: string; readonly len: number } };
    readonly expires?: number;
  };
}

export function createNft(netns: string | undefined): Nft {
  const nft = netns === undefined ? ['nft'] : ['ip', 'netns', 'exec', netns, 'nft'];
  return {
    async apply(commands) {
      // nft opens /dev/stdin anew, which a socket (what Node gives a child for stdin) does not allow: hence a file.
      const folder = await mkdtemp(join(tmpdir(), 'tocsin-nft-'));
      try {
        const file = join(folder, 'transaction.json');
        await writeFile(file, JSON.stringify({ nftables: commands }), { mode: 0o600 });
        await run([...nft, '--json', '--file', file]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },

    async list(table) {
      // Listing one table that is not there is an error, and so is much else: ask which tables are there first.
      const tables = parse(await run([...nft, '--json', 'list', 'tables'])) as readonly {
        table?: { family: string; name: string };
      }[];
      if (!tables.some((entry) => entry.table?.family === 'inet' && entry.table.name === table)) return [];
      return parse(await run([...nft, '--json', '--handle', 'list', 'table', 'inet', table]));
    },
  };
}

function parse(text: string): readonly object[] {
  const exact = text.replace(/"(packets|bytes)": (\d+)/g, '"$1": "$2"');
  return (JSON.parse(exact) as { readonly nftables: readonly object[] }).nftables;
}

function run([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH },
      timeout: LONGEST_RUN_MS,
    });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (cause) =>
      reject(new NftError(`${program} cannot be started: install nftables`, { cause })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(output).toString());
        return;
      }
      const words = Buffer.concat(complaints).toString().trim().replaceAll(/\s+/g, ' ').slice(0, 500);
      reject(new NftError(`nft ended with ${code ?? signal ?? 'nothing'}: ${words}`));
    });
  });
}
