/** The table: what the store adapter expects, and what keeps it. */
import { TABLE } from '#adapters/dynamodb/keys.ts';
import { tableDefinition } from '#adapters/dynamodb/table.ts';
import { type Resource, resourceOf, type Synthesised, synthesised } from './synthesised.ts';

const TABLE_TYPE = 'AWS::DynamoDB::GlobalTable';

let dev: Synthesised;
let prod: Synthesised;
beforeAll(() => {
  dev = synthesised('dev');
  prod = synthesised('prod');
});

const replicas = ({ Properties }: Resource): unknown => Properties['Replicas'];
const sorted = (definitions: unknown): string[] =>
  (definitions as readonly object[]).map((definition) => JSON.stringify(definition)).sort();

test('keys, indexes, projections and stream are those that the adapter is tested on', () => {
  const expected = tableDefinition('any');
  const { Properties } = resourceOf(prod.data, TABLE_TYPE);
  for (const name of ['KeySchema', 'LocalSecondaryIndexes', 'GlobalSecondaryIndexes', 'BillingMode'] as const)
    expect([name, Properties[name]]).toEqual([name, expected[name]]);
  expect(sorted(Properties['AttributeDefinitions'])).toEqual(sorted(expected.AttributeDefinitions));
  const view = Properties['StreamSpecification'];
  expect({ StreamEnabled: true, ...(view as object) }).toEqual(expected.StreamSpecification);
});

test('what expires is what the adapter marks', () => {
  expect(resourceOf(prod.data, TABLE_TYPE).Properties).toMatchObject({
    TimeToLiveSpecification: { Enabled: true, AttributeName: TABLE.ttl },
  });
});

test.each(['dev', 'prod'])('%s: one replica, encrypted, with point-in-time recovery', (stage) => {
  const table = resourceOf((stage === 'dev' ? dev : prod).data, TABLE_TYPE);
  expect(replicas(table)).toMatchObject([
    { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
  ]);
  expect(table.Properties).toMatchObject({ SSESpecification: { SSEEnabled: true, SSEType: 'KMS' } });
});

test('in prod neither the table nor its stack can be deleted', () => {
  const table = resourceOf(prod.data, TABLE_TYPE);
  expect(replicas(table)).toMatchObject([{ DeletionProtectionEnabled: true }]);
  expect(table.DeletionPolicy).toBe('Retain');
  expect(prod.stacks.data.terminationProtection).toBe(true);
});

test('in dev both can', () => {
  const table = resourceOf(dev.data, TABLE_TYPE);
  expect(replicas(table)).toMatchObject([{ DeletionProtectionEnabled: false }]);
  expect(table.DeletionPolicy).toBe('Delete');
  expect(dev.stacks.data.terminationProtection).toBe(false);
});

test('the functions hold on to the table: its stack exports what they import', () => {
  const exported = Object.values(
    (prod.data.toJSON() as { Outputs: Record<string, { Export?: { Name: string } }> }).Outputs,
  ).map(({ Export }) => Export?.Name);
  const imported = JSON.stringify(prod.decision.toJSON()).matchAll(/"Fn::ImportValue":"([^"]+)"/g);
  expect(new Set([...imported].map(([, name]) => name))).toEqual(new Set(exported));
  expect(exported).toHaveLength(3);
});
