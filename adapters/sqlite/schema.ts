/**
 * The tables of one Tocsin on one machine. Records are JSON in `body`; columns are what SQL has to look at.
 * `user_version` counts the migrations that have run; a migration is never edited, only followed by another.
 */
import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../store/store-error.ts';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE domain (
    id TEXT PRIMARY KEY,
    sv INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE identity (
    id TEXT PRIMARY KEY,
    domain_id TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX identity_by_domain ON identity (domain_id);

  CREATE TABLE psk (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
  ) STRICT;

  CREATE TABLE alias (
    domain_id TEXT NOT NULL,
    cuid TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (domain_id, cuid, name)
  ) STRICT;

  CREATE TABLE cuid (
    cuid TEXT PRIMARY KEY,
    identity_id TEXT NOT NULL
  ) STRICT;

  CREATE TABLE mitigation (
    domain_id TEXT NOT NULL,
    cuid TEXT NOT NULL,
    mid INTEGER NOT NULL,
    sv INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    due_at INTEGER,
    removed_at INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (domain_id, cuid, mid)
  ) STRICT;
  CREATE INDEX mitigation_by_version ON mitigation (domain_id, sv);
  CREATE INDEX mitigation_by_due ON mitigation (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE report (
    domain_id TEXT NOT NULL,
    cuid TEXT NOT NULL,
    mid INTEGER NOT NULL,
    mitigator TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (domain_id, cuid, mid, mitigator),
    FOREIGN KEY (domain_id, cuid, mid) REFERENCES mitigation (domain_id, cuid, mid) ON DELETE CASCADE
  ) STRICT;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_domain ON audit (domain_id, id);

  CREATE TABLE session_config (
    identity_id TEXT NOT NULL,
    cuid TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (identity_id, cuid)
  ) STRICT;

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id TEXT NOT NULL,
    cuid TEXT NOT NULL,
    mid INTEGER NOT NULL,
    generation INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    message_group TEXT NOT NULL,
    body TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX message_by_group ON message (queue, message_group, id);

  CREATE TABLE deduplication (
    queue TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (queue, deduplication_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deduplication_by_expiry ON deduplication (expires_at);
  `,
];

/** Brings an open database to the newest schema, in one transaction. Throws StoreError on one made by a newer release. */
export function migrate(database: DatabaseSync, migrations = MIGRATIONS): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > migrations.length)
      throw new StoreError(
        'newer-schema',
        `the database has schema ${version}, this release knows ${migrations.length}: start the newer release, or restore a backup`,
      );
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
