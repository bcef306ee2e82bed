/** The table as CreateTable takes it; infra builds the same from `keys.ts`. The local index has to be made with the table. */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { TABLE } from './keys.ts';

export function tableDefinition(tableName: string): CreateTableCommandInput {
  const { partitionKey, sortKey, versionIndex, registryIndex, dueIndex } = TABLE;
  const text = [partitionKey, sortKey, registryIndex.partitionKey, registryIndex.sortKey];
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      ...[...text, dueIndex.partitionKey, dueIndex.sortKey].map((name) => ({
        AttributeName: name,
        AttributeType: 'S' as const,
      })),
      { AttributeName: versionIndex.sortKey, AttributeType: 'N' },
    ],
    KeySchema: keySchema(partitionKey, sortKey),
    LocalSecondaryIndexes: [
      {
        IndexName: versionIndex.name,
        KeySchema: keySchema(partitionKey, versionIndex.sortKey),
        Projection: { ProjectionType: 'ALL' },
      },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: registryIndex.name,
        KeySchema: keySchema(registryIndex.partitionKey, registryIndex.sortKey),
        Projection: { ProjectionType: 'ALL' },
      },
      {
        IndexName: dueIndex.name,
        KeySchema: keySchema(dueIndex.partitionKey, dueIndex.sortKey),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  };
}

function keySchema(partition: string, sort: string): NonNullable<CreateTableCommandInput['KeySchema']> {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ];
}
