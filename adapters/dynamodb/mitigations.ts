/** Mitigations in the table: reads, what is due, tombstones. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Mitigation, MitigationKey, MitigationReport } from '#core/model/mitigation.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Store } from '#core/ports/store.ts';
import { TOMBSTONE_GRACE_SECONDS } from '../store/records.ts';
import { dueAttributes } from './commit.ts';
import {
  afterDue,
  DUE_PARTITIONS,
  domainKey,
  type ItemKey,
  MITIGATION_PREFIX,
  mitigationKey,
  mitigationsOf,
  parseMitigationKey,
  reportKey,
  TABLE,
} from './keys.ts';
import { type Item, keyItem, readBody, readKey, readText, text, whole } from './marshal.ts';
import { reportsOf } from './reports.ts';
import type { TableClient } from './table-client.ts';

type Mitigations = Pick<Store, 'mitigation' | 'mitigations' | 'watched' | 'due' | 'unsettled' | 'forget'>;

/** Report queries of `watched` under way at once. */
const CONCURRENT_QUERIES = 16;

export function createMitigations(
  table: TableClient,
  domains: Store['domains'],
  clock: Pick<Clock, 'epochSeconds'>,
): Mitigations {
  return {
    async mitigation(key) {
      const item = await table.get(mitigationKey(key));
      return item && (readBody(item) as Mitigation);
    },

    mitigations: (domainId, cuid) => inDomain(table, domainId, mitigationsOf(cuid)),

    async watched(keys) {
      const items = await table.getMany(keys.map(mitigationKey));
      const watched: { mitigation: Mitigation; reports: readonly MitigationReport[] }[] = [];
      for (let start = 0; start < items.length; start += CONCURRENT_QUERIES) {
        const some = items.slice(start, start + CONCURRENT_QUERIES).map(async (item) => {
          const mitigation = readBody(item) as Mitigation;
          return { mitigation, reports: await reportsOf(table, mitigation) };
        });
        watched.push(...(await Promise.all(some)));
      }
      return watched;
    },

    async due(now, limit) {
      const shards = await Promise.all(
        DUE_PARTITIONS.map((partition) => dueInPartition(table, partition, now, limit)),
      );
      const { sortKey } = TABLE.dueIndex;
      return shards
        .flat()
        .sort((left, right) => (readText(left, sortKey) < readText(right, sortKey) ? -1 : 1))
        .slice(0, limit)
        .map((item) => parseMitigationKey(readKey(item)) as MitigationKey);
    },

    async *unsettled() {
      for (const domain of await domains())
        for (const mitigation of await inDomain(table, domain.id, MITIGATION_PREFIX))
          if (
            mitigation.removedAt === undefined ||
            !isSettled(mitigation, await reportsOf(table, mitigation))
          )
            yield mitigation;
    },

    async forget(key) {
      const item = await table.get(mitigationKey(key));
      if (item === undefined) return;
      const mitigation = readBody(item) as Mitigation;
      const now = clock.epochSeconds();
      if (mitigation.removedAt === undefined || mitigation.removedAt > now - TOMBSTONE_GRACE_SECONDS) return;
      const reports = await reportsOf(table, mitigation);
      if (isSettled(mitigation, reports)) await remove(table, mitigation, reports);
      else await postpone(table, mitigation, now + TOMBSTONE_GRACE_SECONDS);
    },
  };
}

/** All that is stored of a domain's mitigations under a prefix of the sort key, in its order. */
export function inDomain(table: TableClient, domainId: string, prefix: string): Promise<Mitigation[]> {
  return table.queryAll(
    {
      condition: 'PK = :domain AND begins_with(SK, :prefix)',
      values: { ':domain': text(domainKey(domainId).PK), ':prefix': text(prefix) },
    },
    (item) => readBody(item) as Mitigation,
  );
}

async function dueInPartition(
  table: TableClient,
  partition: string,
  now: EpochSeconds,
  limit: number,
): Promise<Item[]> {
  const { name, partitionKey, sortKey } = TABLE.dueIndex;
  const items: Item[] = [];
  const query = table.query({
    index: name,
    condition: `${partitionKey} = :partition AND ${sortKey} < :end`,
    values: { ':partition': text(partition), ':end': text(afterDue(now)) },
  });
  for await (const item of query) if (items.push(item) === limit) break;
  return items;
}

/** No mitigator holds anything for it: all say removed, of this generation. */
function isSettled(mitigation: Mitigation, reports: readonly MitigationReport[]): boolean {
  return reports.every(({ state, generation }) => state === 'removed' && generation >= mitigation.generation);
}

/** Without effect when the record or a report has changed since it was read. */
async function remove(
  table: TableClient,
  mitigation: Mitigation,
  reports: readonly MitigationReport[],
): Promise<void> {
  await table.transact([
    (TableName) => ({
      Delete: { TableName, Key: keyItem(mitigationKey(mitigation)), ...unchanged(mitigation) },
    }),
    ...reports.map((report) => (TableName: string) => ({
      Delete: {
        TableName,
        Key: keyItem(reportKey(report, report.mitigator)),
        ConditionExpression: 'reportState = :removed',
        ExpressionAttributeValues: { ':removed': text('removed') },
      },
    })),
  ]);
}

/** So that it does not stand in the way of others that are due. */
async function postpone(table: TableClient, mitigation: Mitigation, at: EpochSeconds): Promise<void> {
  const key: ItemKey = mitigationKey(mitigation);
  const { sortKey } = TABLE.dueIndex;
  const { ConditionExpression, ExpressionAttributeValues } = unchanged(mitigation);
  await table.transact([
    (TableName) => ({
      Update: {
        TableName,
        Key: keyItem(key),
        UpdateExpression: `SET ${sortKey} = :due`,
        ConditionExpression,
        ExpressionAttributeValues: {
          ...ExpressionAttributeValues,
          ':due': dueAttributes(at, key)[sortKey] ?? text(''),
        },
      },
    }),
  ]);
}

const unchanged = (
  mitigation: Mitigation,
): { readonly ConditionExpression: string; readonly ExpressionAttributeValues: Item } => ({
  ConditionExpression: 'sv = :sv',
  ExpressionAttributeValues: { ':sv': whole(mitigation.sv) },
});
