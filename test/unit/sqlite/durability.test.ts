/** What a crash, a full disk or another process does to the database on one machine. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { manualClock } from '#test/support/manual-clock.ts';
import { CUID, DEMO, makeDomain, makeMitigation, mid } from '#test/support/records.ts';

const COMMITTING_PROCESS = join(import.meta.dirname, '../../support/committing-process.ts');
const SECRET_KEY = new Uint8Array(32).fill(7);

let folder: string;
let path: string;
const opened: SqliteParts[] = [];
const children: ChildProcessWithoutNullStreams[] = [];

const open = async (secretKey = SECRET_KEY): Promise<SqliteParts> => {
  const parts = await openSqlite({ path, clock: manualClock(), secretKey });
  opened.push(parts);
  return parts;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-sqlite-'));
  path = join(folder, 'tocsin.db');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const parts of opened.splice(0)) await parts.close();
  rmSync(folder, { recursive: true });
});

/** Starts a process that commits, and hands every line it prints to `hear`. */
function startCommitting(
  lanes: number,
  count: number,
  hear: (line: string, child: ChildProcessWithoutNullStreams) => void,
  command: readonly string[] = [process.execPath],
): { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<unknown> } {
  const [program = '', ...prefix] = command;
  const child = spawn(program, [...prefix, COMMITTING_PROCESS, path, `${lanes}`, `${count}`]);
  children.push(child);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => hear(line, child));
  return { child, ended: Promise.all([once(child, 'exit'), once(lines, 'close')]) };
}

async function committedMids(domainId: DomainId): Promise<ReadonlySet<number>> {
  const { store } = await open();
  return new Set((await store.mitigations(domainId, CUID)).map((one) => one.mid));
}

test('after kill -9 every acknowledged commit of every domain is there', async () => {
  const acknowledged: string[] = [];
  const { ended } = startCommitting(4, 0, (line, child) => {
    acknowledged.push(line);
    if (acknowledged.length === 200) child.kill('SIGKILL');
  });
  await ended;
  expect(acknowledged.length).toBeGreaterThanOrEqual(200);
  for (let lane = 0; lane < 4; lane++) {
    const domainId = `lane-${lane}` as DomainId;
    const mids = await committedMids(domainId);
    const expected = acknowledged.filter((line) => line.startsWith(`${domainId} `));
    expect(expected.length).toBeGreaterThan(0);
    for (const line of expected) expect(mids).toContain(Number(line.split(' ')[1]));
  }
}, 30_000);

test('a disk that takes no more refuses with the fix, loses nothing acknowledged, and is used again when it can', async () => {
  const acknowledged: number[] = [];
  const refusals: string[] = [];
  // Writes beyond the limit fail as on a disk at its quota; the process may raise it again.
  const limited = ['sh', '-c', 'trap "" XFSZ; ulimit -S -f 400; exec "$0" "$@"', process.execPath];
  const { child, ended } = startCommitting(
    1,
    0,
    (line) => {
      if (line.startsWith('refused ')) {
        refusals.push(line);
        if (refusals.length === 3)
          execFileSync('prlimit', ['--fsize=unlimited:unlimited', '--pid', `${child.pid ?? 0}`]);
        return;
      }
      acknowledged.push(Number(line.split(' ')[1]));
      if (refusals.length >= 3 && acknowledged.length % 20 === 0) child.kill('SIGKILL');
    },
    limited,
  );
  await ended;
  expect(refusals[0]).toMatch(
    /^refused (disk-full: the disk is full: free|input-output: the disk failed: see)/,
  );
  const mids = await committedMids('lane-0' as DomainId);
  expect(acknowledged).toEqual(acknowledged.map((_, index) => index));
  for (const number of acknowledged) expect(mids).toContain(number);
}, 30_000);

test('A-012 what another process commits is read at once and wakes the subscriber', async () => {
  const { store } = await open();
  const woken = new Promise<void>((resolve) => {
    store.subscribe(resolve);
  });
  const { ended } = startCommitting(1, 1, () => undefined);
  await woken;
  await ended;
  expect((await store.snapshot('lane-0' as DomainId))?.mitigations).toHaveLength(1);
}, 30_000);

test('commits and reports of the same process wake subscribers, until they unsubscribe', async () => {
  const { store } = await open();
  await store.putDomain(makeDomain());
  let calls = 0;
  const unsubscribe = store.subscribe(() => calls++);
  await store.commit({ domainId: DEMO, expectedSv: 0, mitigations: [makeMitigation()], audit: [] });
  expect(calls).toBe(1);
  unsubscribe();
  await store.commit({ domainId: DEMO, expectedSv: 1, mitigations: [makeMitigation()], audit: [] });
  expect(calls).toBe(1);
});

test('pre-shared keys are in no file in plain, and open under their own key alone', async () => {
  const key = Uint8Array.from('0123456789abcdef', (character) => character.charCodeAt(0));
  const { store, close } = await open();
  await store.putPsk('demo-psk', key);
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name)).includes(Buffer.from(key))).toBe(false);
  await close();
  const other = await open(new Uint8Array(32).fill(8));
  await expect(other.store.psks()).rejects.toMatchObject({
    code: 'wrong-key',
    message: expect.stringContaining('put back the key file') as string,
  });
});

test('a store without a key refuses pre-shared keys and does everything else', async () => {
  const { store, close } = await openSqlite({ path, clock: manualClock() });
  await store.putDomain(makeDomain());
  await expect(store.putPsk('demo-psk', new Uint8Array(16))).rejects.toMatchObject({ code: 'no-key' });
  expect((await store.psks()).size).toBe(0);
  await close();
});

test('the file and its journal are readable by the owner alone', async () => {
  const { store } = await open();
  await store.putDomain(makeDomain());
  const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
  expect(modes.length).toBeGreaterThan(1);
  expect(new Set(modes)).toEqual(new Set([0o600]));
});

test('a file of a newer release, a file that is no database and a missing folder are refused with the fix', async () => {
  await (await open()).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 999');
  database.close();
  await expect(open()).rejects.toMatchObject({ code: 'newer-schema' });
  writeFileSync(path, 'this is no database, however long it may be '.repeat(100));
  await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  path = join(folder, 'missing', 'tocsin.db');
  await expect(open()).rejects.toMatchObject({ code: 'cannot-open' });
});

test('what was asked before closing is answered; what is asked after is refused', async () => {
  const { store, close } = await open();
  await store.putDomain(makeDomain());
  const last = store.commit({ domainId: DEMO, expectedSv: 0, mitigations: [makeMitigation()], audit: [] });
  await close();
  expect(await last).toEqual({ ok: true, sv: 1 });
  await expect(store.domain(DEMO)).rejects.toMatchObject({ code: 'closed' });
  await close();
});

test('one bad write of many that share a commit fails alone', async () => {
  const { store } = await open();
  await store.putDomain(makeDomain());
  const [first, bad, last] = await Promise.allSettled([
    store.putDomain(makeDomain({ name: 'first' })),
    // A key that SQLite cannot bind.
    store.putSessionConfig(Symbol.iterator.toString() as never, undefined as never, {}),
    store.commit({
      domainId: DEMO,
      expectedSv: 0,
      mitigations: [makeMitigation({ mid: mid(4) })],
      audit: [],
    }),
  ]);
  expect(first.status).toBe('fulfilled');
  expect(bad.status).toBe('rejected');
  expect(last).toMatchObject({ status: 'fulfilled', value: { ok: true, sv: 1 } });
  expect((await store.domain(DEMO))?.name).toBe('first');
});

test('the event loop turns while another process holds the database', async () => {
  const { store } = await open();
  await store.putDomain(makeDomain());
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const commit = store.commit({ domainId: DEMO, expectedSv: 0, mitigations: [], audit: [] });
  let turns = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (++turns < 20) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  other.exec('ROLLBACK');
  other.close();
  expect(turns).toBe(20);
  expect(await commit).toEqual({ ok: true, sv: 1 });
});
