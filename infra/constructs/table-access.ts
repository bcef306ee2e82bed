/** What one function may do with the table: named actions, on items of named partitions, through named indexes. */
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  auditPartition,
  cuidKey,
  DOMAIN_LIST,
  DUE_PARTITIONS,
  domainKey,
  identityKey,
  reportPartition,
} from '#adapters/dynamodb/keys.ts';

/** TransactWriteItems asks for the right to each of its items' actions, and for none of its own. */
type Action = 'GetItem' | 'BatchGetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** Kinds of partitions as `dynamodb:LeadingKeys` matches them: policies cannot tell the sort keys below apart. */
export const PARTITIONS = {
  /** A domain, its lock, its mitigations and its aliases. */
  domains: kindOf(domainKey('*').PK),
  identities: kindOf(identityKey('*').PK),
  cuids: kindOf(cuidKey('*').PK),
  reports: kindOf(reportPartition({ domainId: '*', cuid: '*', mid: 0 })),
  audit: kindOf(auditPartition('*')),
  /** Of the registry's index. */
  domainList: DOMAIN_LIST,
  /** Of the due index. */
  due: kindOf(DUE_PARTITIONS[0] ?? ''),
} as const;

type Partitions = keyof typeof PARTITIONS;

export interface TableAccess {
  /** Through this index; without it, the table itself. */
  readonly index?: string;
  readonly actions: readonly [Action, ...Action[]];
  readonly partitions: readonly [Partitions, ...Partitions[]];
}

export function allowOn(table: ITableV2, { index, actions, partitions }: TableAccess): PolicyStatement {
  return new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [index === undefined ? table.tableArn : `${table.tableArn}/index/${index}`],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions.map((kind) => PARTITIONS[kind]) },
    },
  });
}

/** All partitions whose keys begin as this one does: `DOM#demo` makes `DOM#*`. */
function kindOf(partition: string): string {
  return `${partition.slice(0, partition.indexOf('#') + 1)}*`;
}
