/** One provider per home. The lock is SQLite's, held by the kernel: it is gone with the process, whatever kills that. */
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Result code of SQLite: another connection holds the lock. */
const SQLITE_BUSY = 5;

/** Undefined when another process holds it. */
export function takeLock(path: string): { release(): void } | undefined {
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
