/** Functions, queues and what feeds them. */
import { mitigationKey, reportKey } from '#adapters/dynamodb/keys.ts';
import { type Resource, resourceOf, resourcesOf, type Synthesised, synthesised } from './synthesised.ts';

const FUNCTIONS = ['Authorizer', 'MitigationRequest', 'Outbox', 'Sweeper'];

let dev: Synthesised;
let prod: Synthesised;
beforeAll(() => {
  dev = synthesised('dev');
  prod = synthesised('prod');
});

const functionsOf = ({ decision }: Synthesised): readonly (readonly [string, Resource])[] => [
  ...resourcesOf(decision, 'AWS::Lambda::Function'),
];

test('there are four functions, and no hidden ones', () => {
  const names = functionsOf(prod).map(([id]) => id.replace(/Function[0-9A-F]{8}$/, ''));
  expect(names.sort()).toEqual(FUNCTIONS);
});

test.each([
  ['dev', 7, 'Delete'],
  ['prod', 365, 'Retain'],
])(
  '%s: every function runs Node 24 on arm64 and logs to a group of its own, kept %i days',
  (stage, days, policy) => {
    const stacks = stage === 'dev' ? dev : prod;
    const groups = resourcesOf(stacks.decision, 'AWS::Logs::LogGroup');
    const used = functionsOf(stacks).map(([, { Properties }]) => {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      return (Properties['LoggingConfig'] as { LogGroup: { Ref: string } }).LogGroup.Ref;
    });
    expect(used.sort()).toEqual([...groups.keys()].sort());
    for (const { Properties, DeletionPolicy } of groups.values()) {
      expect(Properties).toEqual({ RetentionInDays: days });
      expect(DeletionPolicy).toBe(policy);
    }
  },
);

test('every queue is encrypted and refuses what does not come over TLS', () => {
  const queues = resourcesOf(prod.decision, 'AWS::SQS::Queue');
  const refusing = [...resourcesOf(prod.decision, 'AWS::SQS::QueuePolicy').values()].flatMap(
    ({ Properties }) => {
      expect(Properties['PolicyDocument']).toMatchObject({
        Statement: [
          {
            Action: 'sqs:*',
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      });
      return (Properties['Queues'] as { Ref: string }[]).map(({ Ref }) => Ref);
    },
  );
  expect(refusing.sort()).toEqual([...queues.keys()].sort());
  expect(queues.size).toBe(3);
  for (const { Properties } of queues.values()) expect(Properties['SqsManagedSseEnabled']).toBe(true);
});

test('commands keep their order, outlast any function and end in a dead-letter queue that keeps order too', () => {
  const [poisonedId, poisoned] =
    [...resourcesOf(prod.decision, 'AWS::SQS::Queue')].find(([id]) => id.startsWith('Poisoned')) ?? [];
  const commands = resourceOf(prod.decision, 'AWS::SQS::Queue', 'Commands');
  expect(commands.Properties).toMatchObject({
    FifoQueue: true,
    DeduplicationScope: 'messageGroup',
    FifoThroughputLimit: 'perMessageGroupId',
    RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [poisonedId, 'Arn'] }, maxReceiveCount: 10 },
  });
  expect(poisoned?.Properties).toMatchObject({ FifoQueue: true, MessageRetentionPeriod: 14 * 86_400 });
  const timeouts = functionsOf(prod).map(([, { Properties }]) => Number(Properties['Timeout']));
  expect(Number(commands.Properties['VisibilityTimeout'])).toBeGreaterThan(Math.max(...timeouts));
});

test('the outbox reads every change from the first on, in order, and answers for each', () => {
  const { Properties } = resourceOf(prod.decision, 'AWS::Lambda::EventSourceMapping');
  const lost = [...resourcesOf(prod.decision, 'AWS::SQS::Queue').keys()].find((id) => id.startsWith('Lost'));
  const outbox = functionsOf(prod).find(([id]) => id.startsWith('Outbox'))?.[0];
  expect(Properties).toMatchObject({
    FunctionName: { Ref: outbox },
    EventSourceArn: { 'Fn::ImportValue': expect.stringContaining('StreamArn') as string },
    StartingPosition: 'TRIM_HORIZON',
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [lost, 'Arn'] } } },
  });
  // One batch of a shard at a time: a later change never overtakes an earlier one of its domain.
  expect(Properties['ParallelizationFactor'] ?? 1).toBe(1);
});

test('the outbox is started by mitigations, not by what mitigators report of them', () => {
  const { Properties } = resourceOf(prod.decision, 'AWS::Lambda::EventSourceMapping');
  const { Filters } = Properties['FilterCriteria'] as { Filters: { Pattern: string }[] };
  const patterns = Filters.map(({ Pattern }) => JSON.parse(Pattern) as unknown);
  const prefix = 'MIT#';
  expect(patterns).toEqual([{ dynamodb: { Keys: { SK: { S: [{ prefix }] } } } }]);
  const key = { domainId: 'demo', cuid: 'alice', mid: 1 };
  expect(mitigationKey(key).SK.startsWith(prefix)).toBe(true);
  expect(reportKey(key, 'edge').SK.startsWith(prefix)).toBe(false);
});

test('the sweeper runs every minute, and only the schedule may start it', () => {
  const sweeper = functionsOf(prod).find(([id]) => id.startsWith('Sweeper'))?.[0];
  const [rule] = resourcesOf(prod.decision, 'AWS::Events::Rule');
  expect(rule?.[1].Properties).toMatchObject({
    ScheduleExpression: 'rate(1 minute)',
    State: 'ENABLED',
    Targets: [{ Arn: { 'Fn::GetAtt': [sweeper, 'Arn'] } }],
  });
  const permissions = [...resourcesOf(prod.decision, 'AWS::Lambda::Permission').values()];
  expect(permissions.map(({ Properties }) => Properties)).toEqual([
    {
      Action: 'lambda:InvokeFunction',
      FunctionName: { 'Fn::GetAtt': [sweeper, 'Arn'] },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [rule?.[0], 'Arn'] },
    },
  ]);
});
