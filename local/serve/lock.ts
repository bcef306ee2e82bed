/** One provider per home. The lock is SQLite's, held by the kernel: it is gone with the process, whatever kills that. */
import { DatabaseSync } from 'node:sqlite';

/** Undefined when another process holds it. */
export function takeLock(path: string): { release(): void } | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && error.message.includes('locked')) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
