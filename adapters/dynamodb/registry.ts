/** The registry in the table: what the operator writes and the authorizer reads. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Domain, Identity } from '#core/model/domain.ts';
import type { Store } from '#core/ports/store.ts';
import { identityOfPsk } from '../pki/identity.ts';
import { findPrefixOwner } from '../store/prefix-owner.ts';
import type { SecretBox } from '../store/secret-box.ts';
import {
  aliasKey,
  DOMAIN_LIST,
  domainKey,
  identityKey,
  identityList,
  lockKey,
  PSK_LIST,
  pskKey,
  sessionConfigKey,
  TABLE,
} from './keys.ts';
import { bytes, type Item, keyItem, readBody, readBytes, readText, text, whole } from './marshal.ts';
import type { TableClient } from './table-client.ts';

type Registry = Pick<
  Store,
  | 'putDomain'
  | 'domain'
  | 'domains'
  | 'prefixOwner'
  | 'putIdentity'
  | 'identity'
  | 'identities'
  | 'putPsk'
  | 'psks'
  | 'putAlias'
  | 'putSessionConfig'
  | 'sessionConfig'
>;

export function createRegistry(table: TableClient, box: SecretBox): Registry {
  const list = <T>(partition: string, read: (item: Item) => T): Promise<T[]> =>
    table.queryAll(
      {
        index: TABLE.registryIndex.name,
        condition: `${TABLE.registryIndex.partitionKey} = :list`,
        values: { ':list': text(partition) },
      },
      read,
    );

  const registry: Registry = {
    async putDomain(domain) {
      await table.transact([
        (TableName) => ({
          Put: {
            TableName,
            Item: {
              ...keyItem(domainKey(domain.id)),
              ...listed(DOMAIN_LIST, domain.id),
              body: text(JSON.stringify(domain)),
            },
          },
        }),
        (TableName) => makeLock(TableName, domain),
      ]);
    },
    domain: async (id) => bodyOf(await table.get(domainKey(id))) as Domain | undefined,
    domains: () => list(DOMAIN_LIST, (item) => readBody(item) as Domain),
    prefixOwner: async (prefix, except) => findPrefixOwner(await registry.domains(), prefix, except),

    putIdentity: (identity) =>
      table.put({
        ...keyItem(identityKey(identity.id)),
        ...listed(identityList(identity.domainId), identity.id),
        body: text(JSON.stringify(identity)),
      }),
    identity: async (id) => bodyOf(await table.get(identityKey(id))) as Identity | undefined,
    identities: (domainId) => list(identityList(domainId), (item) => readBody(item) as Identity),

    async putPsk(name, key) {
      const identityId = identityOfPsk(name);
      await table.put({
        ...keyItem(pskKey(identityId)),
        ...listed(PSK_LIST, identityId),
        name: text(name),
        sealed: bytes(box.seal(name, key)),
      });
    },
    async psks() {
      const keys = await list(PSK_LIST, (item) => {
        const name = readText(item, 'name');
        return [name, box.open(name, readBytes(item, 'sealed'))] as const;
      });
      return new Map(keys);
    },

    putAlias: (alias) =>
      table.put({
        ...keyItem(aliasKey(alias.domainId, alias.cuid, alias.name)),
        body: text(JSON.stringify(alias)),
        ...(alias.expiresAt !== undefined && { [TABLE.ttl]: whole(alias.expiresAt) }),
      }),

    putSessionConfig: (identityId, cuid, config) =>
      table.put({ ...keyItem(sessionConfigKey(identityId, cuid)), body: text(JSON.stringify(config)) }),
    sessionConfig: async (identityId, cuid) => bodyOf(await table.get(sessionConfigKey(identityId, cuid))),
  };
  return registry;
}

/** A new domain starts at version 0; an old one stays where it is. */
function makeLock(TableName: string, { id }: Domain): TransactWriteItem {
  return {
    Update: {
      TableName,
      Key: keyItem(lockKey(id)),
      UpdateExpression: 'SET version = if_not_exists(version, :zero)',
      ExpressionAttributeValues: { ':zero': whole(0) },
    },
  };
}

const listed = (partition: string, sort: string): Item => ({
  [TABLE.registryIndex.partitionKey]: text(partition),
  [TABLE.registryIndex.sortKey]: text(sort),
});

const bodyOf = (item: Item | undefined): unknown => (item === undefined ? undefined : readBody(item));
