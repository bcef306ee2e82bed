/** The store on one machine: records in SQLite, behind a worker thread (see worker.ts). */
import type { Alias } from '#core/model/alias.ts';
import type { Domain, Identity } from '#core/model/domain.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import type { Mitigation, MitigationKey } from '#core/model/mitigation.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Outbox, OutboxEntry } from '#core/ports/outbox.ts';
import type { Queue } from '#core/ports/queue.ts';
import type { AuditEntry, Commit, Store } from '#core/ports/store.ts';
import { findPrefixOwner } from '../store/prefix-owner.ts';
import { dueAt, formatReport, isCurrent, parseReport, TOMBSTONE_GRACE_SECONDS } from '../store/records.ts';
import { createSecretBox } from '../store/secret-box.ts';
import { Connection } from './connection.ts';
import type { CommitRow, KeyRow } from './mitigation-statements.ts';
import { createQueue } from './queue.ts';

export interface SqliteOptions {
  /** File, made 0600 when it is not there, or `:memory:`. */
  readonly path: string;
  readonly clock: Clock;
  /** 32 bytes under which pre-shared keys are sealed; without it `putPsk` rejects. */
  readonly secretKey?: Uint8Array;
}

export interface SqliteParts {
  readonly store: Store;
  readonly outbox: Outbox;
  /** The queue of that name; what an earlier process had received and not acknowledged is visible again at its first `receive`. */
  readonly queue: (name: string) => Queue;
  /** Closes all of them. */
  readonly close: () => Promise<void>;
}

/** Records read at once by `unsettled`. */
const PAGE = 500;
const BEFORE_ALL: KeyRow = { domainId: '', cuid: '', mid: -1 };

/** Rejects with a StoreError when the file cannot be opened, is damaged, or was made by a newer release. */
export async function openSqlite(options: SqliteOptions): Promise<SqliteParts> {
  const connection = await Connection.open(options.path);
  return {
    store: createStore(connection, options),
    outbox: createOutbox(connection),
    queue: (name) => createQueue(connection, name, options.clock),
    close: () => connection.close(),
  };
}

function createOutbox(connection: Connection): Outbox {
  return {
    pending: async (limit) => (await connection.call('pending', limit)) as OutboxEntry[],
    settle: (id) => connection.call('settle', id),
  };
}

function createStore(connection: Connection, { clock, secretKey }: SqliteOptions): Store {
  const box = createSecretBox(secretKey);
  const store: Store = {
    putDomain: (domain) => connection.call('putDomain', domain.id, JSON.stringify(domain)),
    domain: async (id) => parse(await connection.call('domain', id)) as Domain | undefined,
    domains: async () => parseAll(await connection.call('domains')) as Domain[],
    prefixOwner: async (prefix, except) => findPrefixOwner(await store.domains(), prefix, except),

    putIdentity: (identity) =>
      connection.call('putIdentity', identity.id, identity.domainId, JSON.stringify(identity)),
    identity: async (id) => parse(await connection.call('identity', id)) as Identity | undefined,
    identities: async (domainId) => parseAll(await connection.call('identities', domainId)) as Identity[],
    putPsk: async (name, key) => {
      await connection.call('putPsk', name, box.seal(name, key));
    },
    psks: async () => {
      const rows = await connection.call('psks');
      return new Map(rows.map(({ name, sealed }) => [name, box.open(name, sealed)]));
    },
    putAlias: (alias) =>
      connection.call('putAlias', alias.domainId, alias.cuid, alias.name, JSON.stringify(alias)),

    async snapshot(id, sinceSv) {
      const found = await connection.call('snapshot', id, sinceSv ?? -1);
      if (found === undefined) return undefined;
      const now = clock.epochSeconds();
      return {
        sv: found.sv,
        domain: JSON.parse(found.domain) as Domain,
        mitigations: parseAll(found.mitigations) as Mitigation[],
        aliases: (parseAll(found.aliases) as Alias[]).filter((alias) => isCurrent(alias, now)),
      };
    },
    cuidOwner: async (cuid) => (await connection.call('cuidOwner', cuid)) as IdentityId | undefined,
    commit: (commit) => connection.call('commit', commitRow(commit)),

    mitigation: async (key) =>
      parse(await connection.call('mitigation', keyRow(key))) as Mitigation | undefined,
    mitigations: async (domainId, cuid) =>
      parseAll(await connection.call('mitigations', domainId, cuid)) as Mitigation[],
    watched: async (keys) =>
      (await connection.call('watched', keys.map(keyRow))).map(({ mitigation, reports }) => ({
        mitigation: JSON.parse(mitigation) as Mitigation,
        reports: reports.map(parseReport),
      })),
    due: async (now, limit) => (await connection.call('due', now, limit)) as MitigationKey[],
    async *unsettled() {
      for (let after = BEFORE_ALL; ; ) {
        const page = await connection.call('unsettled', after, PAGE);
        for (const row of page) yield JSON.parse(row.body) as Mitigation;
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) return;
        after = keyRow(last);
      }
    },
    forget: (key) => connection.call('forget', keyRow(key), clock.epochSeconds(), TOMBSTONE_GRACE_SECONDS),

    putReport: (report) =>
      connection.call(
        'putReport',
        keyRow(report),
        report.mitigator,
        report.generation,
        report.state,
        formatReport(report),
      ),
    reports: async (key) => (await connection.call('reports', keyRow(key))).map(parseReport),
    audit: async (domainId, limit) =>
      parseAll(await connection.call('audit', domainId, limit)) as AuditEntry[],

    putSessionConfig: (identityId, cuid, config) =>
      connection.call('putSessionConfig', identityId, cuid, JSON.stringify(config)),
    sessionConfig: async (identityId, cuid) =>
      parse(await connection.call('sessionConfig', identityId, cuid)),

    subscribe: (listener) => connection.subscribe('mitigations', listener),
    close: () => connection.close(),
  };
  return store;
}

function commitRow({ domainId, expectedSv, mitigations, cuidClaim, audit }: Commit): CommitRow {
  return {
    domainId,
    expectedSv,
    mitigations: mitigations.map((mitigation) => ({
      ...keyRow({ ...mitigation, domainId }),
      generation: mitigation.generation,
      dueAt: dueAt(mitigation) ?? null,
      removedAt: mitigation.removedAt ?? null,
      body: JSON.stringify({ ...mitigation, domainId, sv: expectedSv + 1 }),
    })),
    cuidClaim,
    audit: audit.map((entry) => JSON.stringify(entry)),
  };
}

const keyRow = ({ domainId, cuid, mid }: KeyRow): KeyRow => ({ domainId, cuid, mid });

const parse = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));

const parseAll = (texts: readonly string[]): unknown[] => texts.map((text) => JSON.parse(text) as unknown);
