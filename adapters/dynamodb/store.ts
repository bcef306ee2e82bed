/** The store in the cloud: one DynamoDB table (keys.ts), the same contract as SQLite's. Its stream is the outbox. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Alias } from '#core/model/alias.ts';
import type { Domain } from '#core/model/domain.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Clock, Random } from '#core/ports/clock.ts';
import type { AuditEntry, DomainSnapshot, Store } from '#core/ports/store.ts';
import { systemRandom } from '../random/system-random.ts';
import { isCurrent } from '../store/records.ts';
import { createSecretBox } from '../store/secret-box.ts';
import { commitTo } from './commit.ts';
import {
  ALIAS_PREFIX,
  auditPartition,
  cuidKey,
  domainKey,
  lockKey,
  MITIGATION_PREFIX,
  TABLE,
} from './keys.ts';
import { readBody, readText, readWhole, text, whole } from './marshal.ts';
import { createMitigations, inDomain } from './mitigations.ts';
import { createRegistry } from './registry.ts';
import { reportsOf, writeReport } from './reports.ts';
import { TableClient } from './table-client.ts';

export interface DynamoOptions {
  /** Stays the caller's: `close` leaves it open. */
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Pick<Clock, 'epochSeconds'>;
  /** 32 bytes under which pre-shared keys are sealed; without it `putPsk` rejects. */
  readonly secretKey?: Uint8Array;
  /** Spreads repeated attempts. */
  readonly random?: Pick<Random, 'fraction'>;
}

/** Calls reject with a StoreError when the table cannot be reached, refuses, or is throttled for long. */
export function createDynamoStore(options: DynamoOptions): Store {
  const { client, tableName, clock, secretKey, random = systemRandom } = options;
  const table = new TableClient({ client, tableName, fraction: () => random.fraction() });
  const registry = createRegistry(table, createSecretBox(secretKey));
  return {
    ...registry,
    ...createMitigations(table, () => registry.domains(), clock),

    snapshot: (id, sinceSv) => readSnapshot(table, id, sinceSv, clock.epochSeconds()),
    async cuidOwner(cuid) {
      const item = await table.get(cuidKey(cuid));
      return item && (readText(item, 'identityId') as IdentityId);
    },
    commit: (commit) => commitTo(table, commit),

    putReport: (report) => writeReport(table, report),
    reports: (key) => reportsOf(table, key),
    audit: (domainId, limit) => readAudit(table, domainId, limit),

    // A table calls nobody: readers poll.
    subscribe: () => () => undefined,
    close: () => Promise.resolve(),
  };
}

/**
 * The lock is read before the records: a commit in between shows as records newer than the version, which the next commit
 * finds out; the other way round its changes would be missed for good.
 */
async function readSnapshot(
  table: TableClient,
  id: DomainId,
  sinceSv: number | undefined,
  now: number,
): Promise<DomainSnapshot | undefined> {
  const lock = await table.get(lockKey(id));
  const [domain, mitigations, aliases] = await Promise.all([
    table.get(domainKey(id)),
    sinceSv === undefined ? inDomain(table, id, MITIGATION_PREFIX) : changedSince(table, id, sinceSv),
    currentAliases(table, id, now),
  ]);
  if (lock === undefined || domain === undefined) return undefined;
  return { sv: readWhole(lock, 'version'), domain: readBody(domain) as Domain, mitigations, aliases };
}

function changedSince(table: TableClient, id: DomainId, sinceSv: number): Promise<Mitigation[]> {
  const { name, sortKey } = TABLE.versionIndex;
  return table.queryAll(
    {
      index: name,
      condition: `PK = :domain AND ${sortKey} > :since`,
      values: { ':domain': text(domainKey(id).PK), ':since': whole(sinceSv) },
    },
    (item) => readBody(item) as Mitigation,
  );
}

async function currentAliases(table: TableClient, id: DomainId, now: number): Promise<Alias[]> {
  const aliases = await table.queryAll(
    {
      condition: 'PK = :domain AND begins_with(SK, :prefix)',
      values: { ':domain': text(domainKey(id).PK), ':prefix': text(ALIAS_PREFIX) },
    },
    (item) => readBody(item) as Alias,
  );
  return aliases.filter((alias) => isCurrent(alias, now));
}

/** Newest first. */
async function readAudit(table: TableClient, domainId: DomainId, limit: number): Promise<AuditEntry[]> {
  const commits = table.query({
    condition: 'PK = :audit',
    values: { ':audit': text(auditPartition(domainId)) },
    descending: true,
  });
  const entries: AuditEntry[] = [];
  for await (const commit of commits) {
    entries.push(...(readBody(commit) as AuditEntry[]).reverse());
    if (entries.length >= limit) break;
  }
  return entries.slice(0, limit);
}
