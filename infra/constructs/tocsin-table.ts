/** The one table: sessions, aliases, mitigations, reports, audit. Its keys are the store adapter's (`adapters/dynamodb/keys.ts`). */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { TABLE } from '#adapters/dynamodb/keys.ts';

const text = (name: string): Attribute => ({ name, type: AttributeType.STRING });

/** Point-in-time recovery always; deletion protection and retention where the state is worth it. */
export function tocsinTable(scope: Construct, protectState: boolean): TableV2 {
  const { registryIndex, dueIndex, versionIndex } = TABLE;
  return new TableV2(scope, 'Table', {
    partitionKey: text(TABLE.partitionKey),
    sortKey: text(TABLE.sortKey),
    billing: Billing.onDemand(),
    encryption: TableEncryptionV2.awsManagedKey(),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: protectState,
    removalPolicy: protectState ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    timeToLiveAttribute: TABLE.ttl,
    // The outbox reads it: what was committed and what it was before.
    dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    localSecondaryIndexes: [
      { indexName: versionIndex.name, sortKey: { name: versionIndex.sortKey, type: AttributeType.NUMBER } },
    ],
    globalSecondaryIndexes: [
      {
        indexName: registryIndex.name,
        partitionKey: text(registryIndex.partitionKey),
        sortKey: text(registryIndex.sortKey),
      },
      {
        indexName: dueIndex.name,
        partitionKey: text(dueIndex.partitionKey),
        sortKey: text(dueIndex.sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      },
    ],
  });
}
