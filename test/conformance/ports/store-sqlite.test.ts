/** SQLite keeps the store contract, in a file and in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '#adapters/sqlite/store.ts';
import { manualClock } from '#test/support/manual-clock.ts';
import { describeStore } from './store-contract.ts';

const SECRET_KEY = new Uint8Array(32).fill(7);

describeStore('SQLite file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-store-'));
  const clock = manualClock();
  const parts = await openSqlite({
    path: join(folder, 'tocsin.db'),
    clock,
    secretKey: SECRET_KEY,
  });
  return {
    store: parts.store,
    clock,
    end: async () => {
      await parts.close();
      rmSync(folder, { recursive: true });
    },
  };
});

describeStore('SQLite in memory', async () => {
  const clock = manualClock();
  const parts = await openSqlite({ path: ':memory:', clock, secretKey: SECRET_KEY });
  return { store: parts.store, clock, end: () => parts.close() };
});
