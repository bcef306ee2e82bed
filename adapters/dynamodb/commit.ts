/** One step of a domain as one TransactWriteItems: the lock, the cuid, the mitigations and the audit, or nothing. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Commit, CommitResult } from '#core/ports/store.ts';
import { dueAt } from '../store/records.ts';
import {
  auditKey,
  cuidKey,
  duePartition,
  dueSortKey,
  type ItemKey,
  lockKey,
  mitigationKey,
  TABLE,
} from './keys.ts';
import { type Item, keyItem, text, whole } from './marshal.ts';
import { LARGEST_TRANSACTION, type TableClient } from './table-client.ts';

/** Lock, cuid and audit take an item each. */
const MOST_MITIGATIONS = LARGEST_TRANSACTION - 3;

/** Kept in the table for a quarter of a year. */
const AUDIT_SECONDS = 90 * 86_400;

type Write = (tableName: string) => TransactWriteItem;

/** Throws RangeError on more mitigations than one transaction carries: the caller cuts its commits to size. */
export async function commitTo(table: TableClient, commit: Commit): Promise<CommitResult> {
  const { domainId, expectedSv, mitigations, cuidClaim, audit } = commit;
  if (mitigations.length > MOST_MITIGATIONS)
    throw new RangeError(`a commit of ${mitigations.length} mitigations: at most ${MOST_MITIGATIONS}`);
  const sv = expectedSv + 1;
  const failed = await table.transact([
    advanceLock(domainId, expectedSv),
    ...(cuidClaim === undefined ? [] : [claimCuid(cuidClaim.cuid, cuidClaim.identityId)]),
    ...mitigations.map((mitigation) => put(mitigationItem({ ...mitigation, domainId, sv }))),
    ...(audit.length === 0 ? [] : [put(auditItem(commit, sv))]),
  ]);
  if (failed === undefined) return { ok: true, sv };
  // The lock is the first item: whoever lost it reads again, whatever else did not hold.
  return { ok: false, reason: failed.includes(0) ? 'lock-lost' : 'cuid-taken' };
}

const put =
  (Item: Item): Write =>
  (TableName) => ({ Put: { TableName, Item } });

function advanceLock(domainId: string, expectedSv: number): Write {
  return (TableName) => ({
    Update: {
      TableName,
      Key: keyItem(lockKey(domainId)),
      UpdateExpression: 'SET version = :next',
      ConditionExpression: 'version = :expected',
      ExpressionAttributeValues: { ':next': whole(expectedSv + 1), ':expected': whole(expectedSv) },
    },
  });
}

function claimCuid(cuid: string, identityId: string): Write {
  return (TableName) => ({
    Put: {
      TableName,
      Item: { ...keyItem(cuidKey(cuid)), identityId: text(identityId) },
      ConditionExpression: 'attribute_not_exists(PK) OR identityId = :identity',
      ExpressionAttributeValues: { ':identity': text(identityId) },
    },
  });
}

/** As it stands in the table, and in the images of its stream. */
export function mitigationItem(mitigation: Mitigation): Item {
  const key = mitigationKey(mitigation);
  const due = dueAt(mitigation);
  return {
    ...keyItem(key),
    sv: whole(mitigation.sv),
    generation: whole(mitigation.generation),
    ...(mitigation.removedAt !== undefined && { removedAt: whole(mitigation.removedAt) }),
    ...(due !== undefined && dueAttributes(due, key)),
    body: text(JSON.stringify(mitigation)),
  };
}

export function dueAttributes(at: number, key: ItemKey): Item {
  const { partitionKey, sortKey } = TABLE.dueIndex;
  return { [partitionKey]: text(duePartition(key)), [sortKey]: text(dueSortKey(at, key)) };
}

function auditItem({ domainId, audit }: Commit, sv: number): Item {
  const newest = Math.max(...audit.map(({ at }) => at));
  return {
    ...keyItem(auditKey(domainId, sv)),
    body: text(JSON.stringify(audit)),
    [TABLE.ttl]: whole(newest + AUDIT_SECONDS),
  };
}
