/**
 * Who may ask and what is decided: the authorizer, the one function that writes mitigations, the sweeper that asks it to
 * settle what is due, and the outbox that turns committed changes into commands for mitigators.
 */
import { Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  type IFunction,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { MITIGATION_PREFIX, TABLE } from '#adapters/dynamodb/keys.ts';
import type { AuthorizerEnv } from '#functions/authorizer/env.ts';
import type { MitigationRequestEnv } from '#functions/mitigation-request/env.ts';
import type { OutboxEnv } from '#functions/outbox/env.ts';
import type { SweeperEnv } from '#functions/sweeper/env.ts';
import type { Stage } from '../config/stage.ts';
import { NodeFunction } from '../constructs/node-function.ts';
import { allowOn, type TableAccess } from '../constructs/table-access.ts';

export interface DecisionStackProps extends StackProps {
  readonly stage: Stage;
  readonly table: TableV2;
}

/** Long enough for a slow device; a command that fails so often goes to the dead-letter queue. */
const COMMAND_VISIBILITY = Duration.seconds(90);
const COMMAND_ATTEMPTS = 10;
const KEEP_FAILURES = Duration.days(14);

/** What each function asks of the table: `adapters/dynamodb`, by way of the store methods its `app.ts` picks. */
const AUTHORIZER_ACCESS: readonly TableAccess[] = [
  { actions: ['GetItem'], partitions: ['identities', 'domains'] },
];
const MITIGATION_REQUEST_ACCESS: readonly TableAccess[] = [
  { actions: ['GetItem'], partitions: ['identities', 'domains'] },
  { actions: ['Query'], partitions: ['domains'] },
  { index: TABLE.versionIndex.name, actions: ['Query'], partitions: ['domains'] },
  { actions: ['UpdateItem'], partitions: ['domains'] },
  { actions: ['PutItem'], partitions: ['domains', 'cuids', 'audit'] },
];
const SWEEPER_ACCESS: readonly TableAccess[] = [
  { index: TABLE.dueIndex.name, actions: ['Query'], partitions: ['due'] },
  { index: TABLE.registryIndex.name, actions: ['Query'], partitions: ['domainList'] },
  { actions: ['GetItem', 'BatchGetItem', 'UpdateItem'], partitions: ['domains'] },
  { actions: ['Query', 'DeleteItem'], partitions: ['domains', 'reports'] },
];
const OUTBOX_ACCESS: readonly TableAccess[] = [
  { actions: ['GetItem', 'BatchGetItem'], partitions: ['domains'] },
  { actions: ['Query'], partitions: ['reports'] },
];

export class DecisionStack extends Stack {
  /** Commands for mitigators, in order per mitigation and mitigator. */
  readonly commands: Queue;
  readonly #stage: Stage;
  readonly #table: TableV2;

  constructor(scope: Construct, id: string, { stage, table, ...props }: DecisionStackProps) {
    super(scope, id, props);
    this.#stage = stage;
    this.#table = table;
    this.#addAuthorizer();
    this.#addSweeper(this.#addMitigationRequest());
    this.commands = this.#addCommands();
    this.#addOutbox();
  }

  #addAuthorizer(): void {
    new NodeFunction<AuthorizerEnv>(this, 'Authorizer', {
      stage: this.#stage,
      folder: 'authorizer',
      environment: { TABLE_NAME: this.#table.tableName },
      timeoutSeconds: 5,
      permissions: this.#onTable(AUTHORIZER_ACCESS),
    });
  }

  #addMitigationRequest(): IFunction {
    const mitigationRequest = new NodeFunction<MitigationRequestEnv>(this, 'MitigationRequest', {
      stage: this.#stage,
      folder: 'mitigation-request',
      environment: { TABLE_NAME: this.#table.tableName },
      timeoutSeconds: 10,
      memoryMiB: 1024,
      permissions: this.#onTable(MITIGATION_REQUEST_ACCESS),
    });
    return mitigationRequest.function;
  }

  #addSweeper({ functionArn }: IFunction): void {
    const sweeper = new NodeFunction<SweeperEnv>(this, 'Sweeper', {
      stage: this.#stage,
      folder: 'sweeper',
      environment: { TABLE_NAME: this.#table.tableName, MITIGATION_REQUEST_FUNCTION: functionArn },
      timeoutSeconds: 55,
      permissions: [
        ...this.#onTable(SWEEPER_ACCESS),
        new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }),
      ],
    });
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      // The next minute's sweep makes up for one that failed.
      targets: [new LambdaFunction(sweeper.function, { retryAttempts: 0 })],
    });
  }

  #addCommands(): Queue {
    const fifo: QueueProps = { fifo: true, enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED };
    const poisoned = new Queue(this, 'PoisonedCommands', { ...fifo, retentionPeriod: KEEP_FAILURES });
    return new Queue(this, 'Commands', {
      ...fifo,
      visibilityTimeout: COMMAND_VISIBILITY,
      deadLetterQueue: { queue: poisoned, maxReceiveCount: COMMAND_ATTEMPTS },
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    });
  }

  #addOutbox(): void {
    const lostChanges = new Queue(this, 'LostChanges', {
      enforceSSL: true,
      encryption: QueueEncryption.SQS_MANAGED,
      retentionPeriod: KEEP_FAILURES,
    });
    Validations.of(lostChanges).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself where changes go that could not be published; nothing redrives from it.',
    });
    const streamArn = this.#table.tableStreamArn;
    if (streamArn === undefined) throw new Error('the table has no stream: the outbox reads it');
    const outbox = new NodeFunction<OutboxEnv>(this, 'Outbox', {
      stage: this.#stage,
      folder: 'outbox',
      environment: { TABLE_NAME: this.#table.tableName, QUEUE_URL: this.commands.queueUrl },
      timeoutSeconds: 30,
      permissions: [
        ...this.#onTable(OUTBOX_ACCESS),
        new PolicyStatement({
          actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
            (action) => `dynamodb:${action}`,
          ),
          resources: [streamArn],
        }),
        new PolicyStatement({
          actions: ['sqs:SendMessage'],
          resources: [this.commands.queueArn, lostChanges.queueArn],
        }),
      ],
    });
    new EventSourceMapping(this, 'Changes', {
      target: outbox.function,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      // Reports change every few seconds and concern nobody here.
      filters: [
        FilterCriteria.filter({
          dynamodb: { Keys: { SK: { S: FilterRule.beginsWith(MITIGATION_PREFIX) } } },
        }),
      ],
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: 100,
      onFailure: new SqsDlq(lostChanges),
    });
  }

  #onTable(access: readonly TableAccess[]): PolicyStatement[] {
    return access.map((each) => allowOn(this.#table, each));
  }
}
