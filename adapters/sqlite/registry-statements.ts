/** Statements about the registry: domains, identities, keys, aliases, session configuration, audit. */
import type { Database, Row } from './database.ts';

const bodies = (rows: readonly Row[]): string[] => rows.map((row) => row['body'] as string);
const body = (row: Row | undefined): string | undefined => row?.['body'] as string | undefined;

export const REGISTRY_READS = {
  domain: (db: Database, id: string) => body(db.get('SELECT body FROM domain WHERE id = ?', id)),

  domains: (db: Database) => bodies(db.all('SELECT body FROM domain ORDER BY id')),

  identity: (db: Database, id: string) => body(db.get('SELECT body FROM identity WHERE id = ?', id)),

  identities: (db: Database, domainId: string) =>
    bodies(db.all('SELECT body FROM identity WHERE domain_id = ? ORDER BY id', domainId)),

  psks: (db: Database) =>
    db
      .all('SELECT name, sealed FROM psk ORDER BY name')
      .map((row) => ({ name: row['name'] as string, sealed: row['sealed'] as Uint8Array })),

  sessionConfig: (db: Database, identityId: string, cuid: string) =>
    body(db.get('SELECT body FROM session_config WHERE identity_id = ? AND cuid = ?', identityId, cuid)),

  /** Newest first. */
  audit: (db: Database, domainId: string, limit: number) =>
    bodies(db.all('SELECT body FROM audit WHERE domain_id = ? ORDER BY id DESC LIMIT ?', domainId, limit)),
};

export const REGISTRY_WRITES = {
  putDomain(db: Database, id: string, text: string): void {
    db.run(
      'INSERT INTO domain (id, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
      id,
      text,
    );
  },

  putIdentity(db: Database, id: string, domainId: string, text: string): void {
    db.run(
      `INSERT INTO identity (id, domain_id, body) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET domain_id = excluded.domain_id, body = excluded.body`,
      id,
      domainId,
      text,
    );
  },

  putPsk(db: Database, name: string, sealed: Uint8Array): void {
    db.run(
      'INSERT INTO psk (name, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed',
      name,
      sealed,
    );
  },

  putAlias(db: Database, domainId: string, cuid: string, name: string, text: string): void {
    db.run(
      `INSERT INTO alias (domain_id, cuid, name, body) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body`,
      domainId,
      cuid,
      name,
      text,
    );
  },

  putSessionConfig(db: Database, identityId: string, cuid: string, text: string): void {
    db.run(
      `INSERT INTO session_config (identity_id, cuid, body) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body`,
      identityId,
      cuid,
      text,
    );
  },
};
