/**
 * Names and keys of the one table. A domain's records share a partition, so that its lock, its mitigations and its aliases
 * are read consistently and committed in one transaction. Neither a cuid nor a domain id contains `#`.
 */

export const TABLE = {
  partitionKey: 'PK',
  sortKey: 'SK',
  /** Epoch seconds; the table's own expiry, garbage collection only. */
  ttl: 'ttl',
  /** Local, strongly consistent: the mitigations of a domain by the version at which they changed. */
  versionIndex: { name: 'LSI1', sortKey: 'sv' },
  /** Sparse: lists of domains, of a domain's identities, of pre-shared keys. */
  registryIndex: { name: 'GSI1', partitionKey: 'GSI1PK', sortKey: 'GSI1SK' },
  /** Sparse, keys only: mitigations by the time at which the sweeper has to look at them. */
  dueIndex: { name: 'GSI2', partitionKey: 'GSI2PK', sortKey: 'GSI2SK' },
} as const;

export interface ItemKey {
  readonly PK: string;
  readonly SK: string;
}

export interface MitigationKeyText {
  readonly domainId: string;
  readonly cuid: string;
  readonly mid: number;
}

const domainPartition = (domainId: string): string => `DOM#${domainId}`;
/** Text order is number order: ten digits hold 2^32-1 and every date up to the year 2286. */
const digits = (value: number): string => value.toString().padStart(10, '0');

export const domainKey = (domainId: string): ItemKey => ({ PK: domainPartition(domainId), SK: 'META' });
export const lockKey = (domainId: string): ItemKey => ({ PK: domainPartition(domainId), SK: 'LOCK' });
export const identityKey = (identityId: string): ItemKey => ({ PK: `ID#${identityId}`, SK: 'META' });
export const pskKey = (identityId: string): ItemKey => ({ PK: `CRED#${identityId}`, SK: 'PSK' });
export const cuidKey = (cuid: string): ItemKey => ({ PK: `CUID#${cuid}`, SK: 'OWNER' });
export const sessionConfigKey = (identityId: string, cuid: string): ItemKey => ({
  PK: `SESS#${identityId}`,
  SK: `CONF#${cuid}`,
});

export const ALIAS_PREFIX = 'ALI#';
export const aliasKey = (domainId: string, cuid: string, name: string): ItemKey => ({
  PK: domainPartition(domainId),
  SK: `${ALIAS_PREFIX}${cuid}#${name}`,
});

export const MITIGATION_PREFIX = 'MIT#';
export const mitigationKey = ({ domainId, cuid, mid }: MitigationKeyText): ItemKey => ({
  PK: domainPartition(domainId),
  SK: `${mitigationsOf(cuid)}${digits(mid)}`,
});
/** What the sort keys of one client's mitigations begin with. */
export const mitigationsOf = (cuid: string): string => `${MITIGATION_PREFIX}${cuid}#`;

/** Undefined for the key of anything else. */
export function parseMitigationKey({ PK, SK }: ItemKey): MitigationKeyText | undefined {
  const match = /^MIT#([^#]+)#(\d{10})$/.exec(SK);
  if (match === null || !PK.startsWith('DOM#')) return undefined;
  return { domainId: PK.slice('DOM#'.length), cuid: match[1] ?? '', mid: Number(match[2]) };
}

export const REPORT_PREFIX = 'DRV#';
export const reportKey = (key: MitigationKeyText, mitigator: string): ItemKey => ({
  PK: reportPartition(key),
  SK: `${REPORT_PREFIX}${mitigator}`,
});
export const reportPartition = ({ domainId, cuid, mid }: MitigationKeyText): string =>
  `MIT#${domainId}#${cuid}#${digits(mid)}`;

export const auditPartition = (domainId: string): string => `AUD#${domainId}`;
/** The entries of one commit; versions grow, so text order is time order. */
export const auditKey = (domainId: string, sv: number): ItemKey => ({
  PK: auditPartition(domainId),
  SK: sv.toString().padStart(16, '0'),
});

export const DOMAIN_LIST = 'DOMAIN';
export const PSK_LIST = 'PSK';
export const identityList = (domainId: string): string => `IDENTITY#${domainId}`;

/** The due index is spread, so that a burst of one customer does not heat one partition. */
const DUE_SHARDS = 10;
export const DUE_PARTITIONS: readonly string[] = Array.from(
  { length: DUE_SHARDS },
  (_, shard) => `DUE#${shard}`,
);

export function duePartition({ PK, SK }: ItemKey): string {
  let hash = 0;
  for (const character of PK + SK) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return `DUE#${hash % DUE_SHARDS}`;
}

export const dueSortKey = (at: number, { PK, SK }: ItemKey): string => `${digits(at)}#${PK}#${SK}`;
/** Sorts after all that is due at `now` and before all that is due later. */
export const afterDue = (now: number): string => digits(now + 1);
