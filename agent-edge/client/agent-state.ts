/**
 * What a client must not forget (RFC 9132 §4.4.1.1): the highest mid used towards each server with each cuid, the cuid
 * that replaced a colliding one, and the one it last asked under. A small database, since processes share it and a crash
 * must never reuse a mid: the transaction that takes a mid is on disk before the mid is on the wire.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nextMid } from '#core/client/mid-sequence.ts';
import { type Cuid, type Mid, parseCuid } from '#core/model/identifiers.ts';

/** How long another process may hold the database, in milliseconds. */
const LOCK_WAIT_MS = 5_000;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mids (server TEXT, cuid TEXT, last INTEGER NOT NULL, PRIMARY KEY (server, cuid)) STRICT;
  CREATE TABLE IF NOT EXISTS cuids (server TEXT, derived TEXT, cuid TEXT NOT NULL, PRIMARY KEY (server, derived)) STRICT;
  CREATE TABLE IF NOT EXISTS asked (server TEXT, derived TEXT, cuid TEXT NOT NULL, PRIMARY KEY (server, derived)) STRICT;
`;

export class AgentState {
  readonly #database: DatabaseSync;

  /** Opens or makes `agent/state.db` in the folder `home`. */
  constructor(home: string) {
    const folder = join(home, 'agent');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'state.db');
    this.#database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    this.#database.exec('PRAGMA synchronous = FULL');
    this.#atomically(() => this.#database.exec(SCHEMA));
    chmodSync(path, 0o600);
  }

  /** The highest mid used; undefined when none is known. */
  lastMid(server: string, cuid: Cuid): number | undefined {
    const row = this.#database
      .prepare('SELECT last FROM mids WHERE server = ? AND cuid = ?')
      .get(server, cuid);
    return row === undefined ? undefined : Number(row['last']);
  }

  /** A mid that no one has used before, above every mid that `noteMid` was told of. */
  takeMid(server: string, cuid: Cuid, attackActive: boolean): Mid {
    return this.#atomically(() => {
      const mid = nextMid(this.lastMid(server, cuid), attackActive);
      if (mid === undefined)
        throw new Error('every mid is used up: withdraw and wait for the end of the attack');
      this.#setMid(server, cuid, mid);
      return mid;
    });
  }

  /** A mid that is in use, chosen by hand or told by the server: later ones are to be above. */
  noteMid(server: string, cuid: Cuid, mid: number): void {
    this.#atomically(() => {
      if (mid > (this.lastMid(server, cuid) ?? -1)) this.#setMid(server, cuid, mid);
    });
  }

  /** The cuid to use with `server` by a client whose credentials make `derived`. */
  cuid(server: string, derived: Cuid): Cuid {
    const row = this.#database
      .prepare('SELECT cuid FROM cuids WHERE server = ? AND derived = ?')
      .get(server, derived);
    return (row === undefined ? undefined : parseCuid(String(row['cuid']))) ?? derived;
  }

  /** After a collision (S-058). */
  replaceCuid(server: string, derived: Cuid, cuid: Cuid): void {
    this.#database.prepare('INSERT OR REPLACE INTO cuids VALUES (?, ?, ?)').run(server, derived, cuid);
  }

  /** The cuid that a client with these credentials last asked for a mitigation under. */
  askedUnder(server: string, derived: Cuid): Cuid | undefined {
    const row = this.#database
      .prepare('SELECT cuid FROM asked WHERE server = ? AND derived = ?')
      .get(server, derived);
    return row === undefined ? undefined : parseCuid(String(row['cuid']));
  }

  noteAskedUnder(server: string, derived: Cuid, cuid: Cuid): void {
    this.#database.prepare('INSERT OR REPLACE INTO asked VALUES (?, ?, ?)').run(server, derived, cuid);
  }

  close(): void {
    this.#database.close();
  }

  #setMid(server: string, cuid: Cuid, mid: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO mids VALUES (?, ?, ?)').run(server, cuid, mid);
  }

  #atomically<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
