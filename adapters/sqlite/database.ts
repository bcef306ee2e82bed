/** The worker's side of the file: opening it durably, statements prepared once, failures in words. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { StoreError, type StoreErrorCode } from '../store/store-error.ts';
import { migrate } from './schema.ts';

export type SqlValue = null | number | string | Uint8Array;
export type Row = Record<string, SQLOutputValue>;

/** How long a transaction waits for another process's; only the worker thread waits. */
const BUSY_TIMEOUT_MS = 5_000;

export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    // Made by us, so that it and its journal are readable by the owner alone.
    if (path !== ':memory:') makeFile(path);
    this.#connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // WAL with FULL: a commit that was acknowledged is on the disk (https://sqlite.org/pragma.html#pragma_synchronous).
    this.#connection.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF',
    );
    migrate(this.#connection);
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Reads of `work` see one state of the database, whatever other processes commit meanwhile. */
  consistently<T>(work: () => T): T {
    this.#connection.exec('BEGIN');
    try {
      return work();
    } finally {
      this.rollback();
    }
  }

  begin(): void {
    this.#connection.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.#connection.exec('COMMIT');
  }

  /** SQLite rolls back by itself on some failures; there is nothing left to roll back then. */
  rollback(): void {
    if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /** `work` happens whole or not at all, inside the open transaction. */
  savepoint<T>(work: () => T): T {
    this.#connection.exec('SAVEPOINT step');
    try {
      return work();
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK TO step');
      throw error;
    } finally {
      if (this.#connection.isTransaction) this.#connection.exec('RELEASE step');
    }
  }

  /** Changes when another connection has committed (https://sqlite.org/pragma.html#pragma_data_version). */
  dataVersion(): number {
    return Number(this.get('PRAGMA data_version')?.['data_version']);
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new StoreError(
      'cannot-open',
      `${path} cannot be opened: its folder must exist and be writable for the user of this process`,
      cause,
    );
  }
}

/** Primary result codes (https://sqlite.org/rescode.html) that an operator can do something about. */
const EXPLANATIONS: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  5: ['busy', 'another process holds the database: end a long-running transaction there and repeat'],
  6: ['busy', 'another process holds a table of the database: end its transaction there and repeat'],
  8: [
    'read-only',
    'the database is read-only: give the user of this process the right to write the file and its folder',
  ],
  10: [
    'input-output',
    'the disk failed: see the system log, then repair the disk or move TOCSIN_HOME to another one',
  ],
  11: ['corrupt', 'the database file is damaged: stop, and restore it from a backup'],
  13: [
    'disk-full',
    'the disk is full: free space on the file system of the database; nothing needs a restart',
  ],
  14: [
    'cannot-open',
    'the database cannot be opened: its folder must exist and be writable for the user of this process',
  ],
  26: ['corrupt', 'the file is no database: move it away, or restore it from a backup'],
};

/** A failure as it crosses from the worker to its owner. */
export interface Failure {
  readonly code: StoreErrorCode;
  readonly message: string;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  const { message, errcode } = error as Error & { readonly errcode?: number };
  // Extended codes carry the primary one in their low byte.
  const explanation = errcode === undefined ? undefined : EXPLANATIONS[errcode & 0xff];
  if (explanation === undefined) return { code: 'failed', message: `the database refused: ${message}` };
  return { code: explanation[0], message: `${explanation[1]} (${message})` };
}
