/** Statements about mitigations: the guarded commit, snapshots, what is due, reports, the outbox. */
import type { CommitResult } from '#core/ports/store.ts';
import type { Database, Row } from './database.ts';

/** A mitigation's key as it crosses to the worker. */
export interface KeyRow {
  readonly domainId: string;
  readonly cuid: string;
  readonly mid: number;
}

export interface MitigationRow extends KeyRow {
  readonly generation: number;
  readonly dueAt: number | null;
  readonly removedAt: number | null;
  readonly body: string;
}

export interface CommitRow {
  readonly domainId: string;
  readonly expectedSv: number;
  readonly mitigations: readonly MitigationRow[];
  readonly cuidClaim: { readonly cuid: string; readonly identityId: string } | undefined;
  readonly audit: readonly string[];
}

const KEY = 'domain_id = ? AND cuid = ? AND mid = ?';
/** A tombstone that no mitigator holds anything for: all say removed, of this generation. */
const SETTLED = `m.removed_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM report r WHERE r.domain_id = m.domain_id AND r.cuid = m.cuid AND r.mid = m.mid
  AND (r.state <> 'removed' OR r.generation < m.generation))`;

const bodies = (rows: readonly Row[]): string[] => rows.map((row) => row['body'] as string);
const keyOf = (row: Row): KeyRow => ({
  domainId: row['domain_id'] as string,
  cuid: row['cuid'] as string,
  mid: row['mid'] as number,
});

const mitigationBody = (db: Database, { domainId, cuid, mid }: KeyRow): string | undefined =>
  db.get(`SELECT body FROM mitigation WHERE ${KEY}`, domainId, cuid, mid)?.['body'] as string | undefined;

const reportBodies = (db: Database, { domainId, cuid, mid }: KeyRow): string[] =>
  bodies(db.all(`SELECT body FROM report WHERE ${KEY} ORDER BY mitigator`, domainId, cuid, mid));

export const MITIGATION_READS = {
  snapshot: (db: Database, domainId: string, sinceSv: number) =>
    db.consistently(() => {
      const domain = db.get('SELECT sv, body FROM domain WHERE id = ?', domainId);
      if (domain === undefined) return undefined;
      return {
        sv: domain['sv'] as number,
        domain: domain['body'] as string,
        mitigations: bodies(
          db.all(
            'SELECT body FROM mitigation WHERE domain_id = ? AND sv > ? ORDER BY sv, cuid, mid',
            domainId,
            sinceSv,
          ),
        ),
        aliases: bodies(db.all('SELECT body FROM alias WHERE domain_id = ? ORDER BY cuid, name', domainId)),
      };
    }),

  cuidOwner: (db: Database, cuid: string) =>
    db.get('SELECT identity_id FROM cuid WHERE cuid = ?', cuid)?.['identity_id'] as string | undefined,

  mitigation: mitigationBody,

  mitigations: (db: Database, domainId: string, cuid: string) =>
    bodies(
      db.all('SELECT body FROM mitigation WHERE domain_id = ? AND cuid = ? ORDER BY mid', domainId, cuid),
    ),

  watched: (db: Database, keys: readonly KeyRow[]) =>
    db.consistently(() =>
      keys.flatMap((key) => {
        const mitigation = mitigationBody(db, key);
        return mitigation === undefined ? [] : [{ mitigation, reports: reportBodies(db, key) }];
      }),
    ),

  due: (db: Database, now: number, limit: number) =>
    db
      .all(
        'SELECT domain_id, cuid, mid FROM mitigation WHERE due_at <= ? ORDER BY due_at, domain_id, cuid, mid LIMIT ?',
        now,
        limit,
      )
      .map(keyOf),

  /** One page in key order, after the given key. */
  unsettled: (db: Database, after: KeyRow, limit: number) =>
    db
      .all(
        `SELECT domain_id, cuid, mid, body FROM mitigation m
         WHERE (domain_id, cuid, mid) > (?, ?, ?) AND NOT (${SETTLED})
         ORDER BY domain_id, cuid, mid LIMIT ?`,
        after.domainId,
        after.cuid,
        after.mid,
        limit,
      )
      .map((row) => ({ ...keyOf(row), body: row['body'] as string })),

  reports: reportBodies,

  pending: (db: Database, limit: number) =>
    db
      .all('SELECT id, domain_id, cuid, mid, generation FROM outbox ORDER BY id LIMIT ?', limit)
      .map((row) => ({ ...keyOf(row), id: row['id'] as number, generation: row['generation'] as number })),
};

export const MITIGATION_WRITES = {
  commit(db: Database, commit: CommitRow): CommitResult {
    const { domainId, expectedSv, cuidClaim } = commit;
    if (db.get('SELECT 1 FROM domain WHERE id = ? AND sv = ?', domainId, expectedSv) === undefined)
      return { ok: false, reason: 'lock-lost' };
    if (cuidClaim !== undefined && !claimCuid(db, cuidClaim.cuid, cuidClaim.identityId))
      return { ok: false, reason: 'cuid-taken' };
    db.run('UPDATE domain SET sv = sv + 1 WHERE id = ?', domainId);
    for (const mitigation of commit.mitigations) writeMitigation(db, mitigation, expectedSv + 1);
    for (const entry of commit.audit)
      db.run('INSERT INTO audit (domain_id, body) VALUES (?, ?)', domainId, entry);
    return { ok: true, sv: expectedSv + 1 };
  },

  putReport: (
    db: Database,
    { domainId, cuid, mid }: KeyRow,
    mitigator: string,
    generation: number,
    state: string,
    body: string,
  ): boolean =>
    db.run(
      `INSERT INTO report (domain_id, cuid, mid, mitigator, generation, state, body)
       SELECT domain_id, cuid, mid, ?, ?, ?, ? FROM mitigation WHERE ${KEY}
       ON CONFLICT DO UPDATE SET generation = excluded.generation, state = excluded.state, body = excluded.body
       WHERE report.generation <= excluded.generation`,
      mitigator,
      generation,
      state,
      body,
      domainId,
      cuid,
      mid,
    ) > 0,

  /** A tombstone that is still unsettled is due again a grace later, so that it does not stand in the way of others. */
  forget(db: Database, { domainId, cuid, mid }: KeyRow, now: number, graceSeconds: number): void {
    const forgotten = db.run(
      `DELETE FROM mitigation AS m WHERE ${KEY} AND m.removed_at <= ? AND ${SETTLED}`,
      domainId,
      cuid,
      mid,
      now - graceSeconds,
    );
    if (forgotten > 0) return;
    db.run(
      `UPDATE mitigation SET due_at = ? WHERE ${KEY} AND removed_at IS NOT NULL AND due_at <= ?`,
      now + graceSeconds,
      domainId,
      cuid,
      mid,
      now,
    );
  },

  settle(db: Database, id: number): void {
    db.run('DELETE FROM outbox WHERE id <= ?', id);
  },
};

/** True when the identity holds the cuid now: it is new, or was its own already. */
function claimCuid(db: Database, cuid: string, identityId: string): boolean {
  db.run('INSERT INTO cuid (cuid, identity_id) VALUES (?, ?) ON CONFLICT DO NOTHING', cuid, identityId);
  return db.get('SELECT 1 FROM cuid WHERE cuid = ? AND identity_id = ?', cuid, identityId) !== undefined;
}

/** A record that was not there counts as generation 0: what starts with nothing desired needs no mitigator. */
function writeMitigation(db: Database, row: MitigationRow, sv: number): void {
  const { domainId, cuid, mid, generation } = row;
  const stored = db.get(`SELECT generation FROM mitigation WHERE ${KEY}`, domainId, cuid, mid);
  db.run(
    `INSERT INTO mitigation (domain_id, cuid, mid, sv, generation, due_at, removed_at, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sv = excluded.sv, generation = excluded.generation, due_at = excluded.due_at,
       removed_at = excluded.removed_at, body = excluded.body`,
    domainId,
    cuid,
    mid,
    sv,
    generation,
    row.dueAt,
    row.removedAt,
    row.body,
  );
  if (((stored?.['generation'] as number | undefined) ?? 0) !== generation)
    db.run(
      'INSERT INTO outbox (domain_id, cuid, mid, generation) VALUES (?, ?, ?, ?)',
      domainId,
      cuid,
      mid,
      generation,
    );
}
