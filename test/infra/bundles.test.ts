/**
 * The bundles that would be uploaded, each in a plain Node process with nothing installed around it, called with events of
 * its source, on real engines behind the APIs of DynamoDB and SQS. What they ask of those APIs is held against their roles.
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { mitigationKey } from '#adapters/dynamodb/keys.ts';
import { keyItem } from '#adapters/dynamodb/marshal.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { Mid } from '#core/model/identifiers.ts';
import type { ReportState } from '#core/model/mitigation.ts';
import type { Store } from '#core/ports/store.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { type DynamoEngine, startDynamoEngine } from '#test/support/dynamo-engine.ts';
import { CUID, DEMO, IDENTITY, makeDomain, makeIdentity } from '#test/support/records.ts';
import { type SqsEngine, startSqsEngine } from '#test/support/sqs-engine.ts';
import { DUE, lost, prefixes, put, requester } from '#test/unit/mitigation/fixtures.ts';
import { type Bundles, bundleAll, type RunningFunction, startFunction } from './bundled.ts';
import { needsOf } from './needs.ts';
import { type Recorder, startInvocations, startRecorder } from './recorder.ts';
import { allows, type Need, statementsOf } from './rights.ts';
import { makeApp } from './synthesised.ts';

const MOST_BYTES = 1_500_000;
const FUNCTIONS = ['Authorizer', 'MitigationRequest', 'Sweeper', 'Outbox'] as const;

const client = requester(CUID, IDENTITY);
const clock = { now: 0, epochSeconds: () => clock.now };
const realNow = Math.floor(Date.now() / 1000);

let bundles: Bundles;
let engine: DynamoEngine;
let sqs: SqsEngine;
let tableName: string;
let queueUrl: string;
let store: Store;
/** Undone in reverse order. */
const undo: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  const { app, remove } = makeApp({});
  undo.push(remove);
  bundles = bundleAll(app);
  engine = await startDynamoEngine();
  undo.push(() => engine.stop());
  sqs = await startSqsEngine();
  undo.push(() => sqs.stop());
  queueUrl = await sqs.createQueue();
}, 60_000);
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

beforeEach(async () => {
  clock.now = realNow;
  tableName = await engine.createTable();
  store = createDynamoStore({ client: engine.client, tableName, clock });
  const domain = makeDomain();
  const mitigators = [{ name: 'edge', profile: 'blackhole' }] as const;
  await store.putDomain({ ...domain, policy: { ...domain.policy, mitigators } });
  await store.putIdentity(makeIdentity());
});

interface Recorded extends RunningFunction {
  /** What its calls so far needed. */
  readonly needs: () => readonly Need[];
}

/** Starts a function whose calls go through recorders of its own. */
async function start(
  id: (typeof FUNCTIONS)[number],
  { lambda, toQueue = queueUrl }: { readonly lambda?: string; readonly toQueue?: string } = {},
): Promise<Recorded> {
  const table = await recorder(engine.endpoint);
  const { port, pathname } = new URL(toQueue);
  const queue = await recorder(`http://127.0.0.1:${port}`);
  const running = await startFunction(
    bundles.of(id),
    {
      TABLE_NAME: tableName,
      QUEUE_URL: `${queue.endpoint}${pathname}`,
      MITIGATION_REQUEST_FUNCTION: 'MitigationRequestFunction',
    },
    { AWS_ENDPOINT_URL_DYNAMODB: table.endpoint, ...(lambda && { AWS_ENDPOINT_URL_LAMBDA: lambda }) },
  );
  undo.push(() => running.stop());
  return { ...running, needs: () => [...table.take(), ...queue.take()].flatMap((call) => needsOf(call)) };
}

async function recorder(target: string): Promise<Recorder> {
  const started = await startRecorder(target);
  undo.push(() => started.stop());
  return started;
}

/** Each need is allowed, and of what is allowed on `table…` and on our own resources each part was needed. */
function expectNeedsAre(id: (typeof FUNCTIONS)[number], needs: readonly Need[]): void {
  const statements = statementsOf(bundles.decision, id);
  expect(needs.filter((need) => !statements.some((statement) => allows(statement, need)))).toEqual([]);
  const granted = statements.flatMap(({ actions, resources, partitions = [undefined] }) =>
    actions.flatMap((action) =>
      resources
        .filter((resource) => /^(table|Commands$|MitigationRequestFunction$)/.test(resource))
        .flatMap((resource) =>
          partitions.map((partition) => ({
            actions: [action],
            resources: [resource],
            ...(partition !== undefined && { partitions: [partition] }),
          })),
        ),
    ),
  );
  expect(granted.length).toBeGreaterThan(0);
  expect(granted.filter((grant) => !needs.some((need) => allows(grant, need)))).toEqual([]);
}

/** Decided by the app in this process, at the test's own time. */
async function decided(...commands: Command[]): Promise<void> {
  const decide = createMitigationRequest({
    store,
    resolver: { resolve: () => Promise.resolve(undefined) },
    clock,
    random: { fraction: () => 0 },
  });
  await decide({ domainId: DEMO, commands });
}

async function report(mid: number, state: ReportState): Promise<void> {
  const key = { domainId: DEMO, cuid: CUID, mid: mid as Mid };
  const mitigation = await store.mitigation(key);
  if (mitigation === undefined) throw new Error(`no mid ${mid}`);
  const { generation } = mitigation;
  const about = { mitigator: 'edge', actualTargets: [], updatedAt: clock.now };
  expect(await store.putReport({ ...key, ...about, generation, state })).toBe(true);
}

test('no bundle is larger than a cold start likes', () => {
  const sizes = FUNCTIONS.map((id) => [id, bundles.of(id).bytes] as const);
  process.stderr.write(
    `bundles: ${sizes.map(([id, bytes]) => `${id} ${Math.round(bytes / 1024)} KiB`).join(', ')}\n`,
  );
  for (const [, bytes] of sizes) expect(bytes).toBeLessThan(MOST_BYTES);
});

test('the authorizer answers for who is registered and who is not', async () => {
  const authorizer = await start('Authorizer');
  expect(await authorizer.invoke({ identityId: IDENTITY })).toMatchObject({
    allowed: true,
    domainId: DEMO,
    role: 'client',
  });
  expect(await authorizer.invoke({ identityId: 'nobody' })).toEqual({
    allowed: false,
    reason: 'unknown-identity',
  });
  await expect(authorizer.invoke({ identity: IDENTITY })).rejects.toThrow('InvalidEventError');
  expectNeedsAre('Authorizer', authorizer.needs());
}, 20_000);

test('mitigation-request decides, commits and keeps up with what it has committed', async () => {
  const mitigationRequest = await start('MitigationRequest');
  for (const mid of [1, 2]) {
    const commands = [put(client, mid, prefixes(`192.0.2.${mid}/32`))];
    expect(await mitigationRequest.invoke({ domainId: DEMO, commands })).toMatchObject({
      answers: [{ result: 'created', mid }],
      sv: mid,
    });
  }
  await expect(mitigationRequest.invoke({ domainId: DEMO })).rejects.toThrow('InvalidEventError');
  expectNeedsAre('MitigationRequest', mitigationRequest.needs());
}, 20_000);

test('the sweeper settles, ends, forgets and postpones', async () => {
  clock.now = realNow - 3600;
  const brief = { lifetimeSeconds: 60 };
  await decided(
    put(client, 1, prefixes('192.0.2.1/32'), brief),
    put(client, 2, prefixes('192.0.2.2/32'), brief),
  );
  clock.now += 60;
  await decided(DUE);
  await report(1, 'removed');
  await report(2, 'active');
  await decided(put(client, 3, prefixes('192.0.2.3/32'), brief));
  const byLoss = { triggerMitigation: false, lifetimeSeconds: 86_400 };
  await decided(put(client, 4, prefixes('192.0.2.4/32'), byLoss));
  await decided(lost(client));
  await report(4, 'stopped');

  const mitigationRequest = await start('MitigationRequest');
  const invoked: Need[] = [];
  const lambda = await startInvocations((resource, event) => {
    invoked.push({ action: 'lambda:InvokeFunction', resource });
    return mitigationRequest.invoke(event);
  });
  undo.push(() => lambda.stop());
  const sweeper = await start('Sweeper', { lambda: lambda.endpoint });
  expect(await sweeper.invoke(SCHEDULED)).toEqual({ due: 3, stopped: 1 });

  const left = await store.mitigations(DEMO, CUID);
  expect(left.map(({ mid, status }) => [mid, status])).toEqual([
    [2, 'terminated'],
    [3, 'terminated'],
    [4, 'signalLoss'],
  ]);
  expectNeedsAre('Sweeper', [...sweeper.needs(), ...invoked]);
}, 20_000);

const SCHEDULED = {
  version: '0',
  id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '123456789012',
  time: '2026-01-01T00:00:00Z',
  region: 'us-east-1',
  resources: ['arn:aws:events:us-east-1:123456789012:rule/every-minute'],
  detail: {},
};

test('the outbox turns a record of the stream into a command, and names the record that it cannot publish', async () => {
  await decided(put(client, 1, prefixes('192.0.2.1/32')));
  const Key = keyItem(mitigationKey({ domainId: DEMO, cuid: CUID, mid: 1 }));
  const { Item } = await engine.client.send(new GetItemCommand({ TableName: tableName, Key }));
  const record = {
    eventID: '1',
    eventName: 'INSERT',
    eventSource: 'aws:dynamodb',
    dynamodb: { SequenceNumber: '111', Keys: Key, NewImage: Item, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  };
  const outbox = await start('Outbox');
  expect(await outbox.invoke({ Records: [record] })).toEqual({ batchItemFailures: [] });
  const received = await sqs.client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
  expect(received.Messages?.map(({ Body }) => JSON.parse(Body ?? '') as unknown)).toEqual([
    { domainId: DEMO, cuid: CUID, mid: 1, generation: 1, mitigator: 'edge' },
  ]);
  expectNeedsAre('Outbox', outbox.needs());

  const failing = await start('Outbox', { toQueue: queueUrl.replace(/[^/]+$/, 'gone.fifo') });
  expect(await failing.invoke({ Records: [record] })).toEqual({
    batchItemFailures: [{ itemIdentifier: '111' }],
  });
}, 20_000);

test('a bundle without its environment says what it lacks, and does not start', async () => {
  const { path, bytes } = bundles.of('Sweeper');
  await expect(startFunction({ path, bytes, environment: { TABLE_NAME: 't' } }, {}, {})).rejects.toThrow(
    /environment: .*\n.*MITIGATION_REQUEST_FUNCTION/,
  );
});
