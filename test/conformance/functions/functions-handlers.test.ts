/** The Lambda handlers as they are deployed, on a real engine behind DynamoDB's API. */
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import type { MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import type { Store } from '#core/ports/store.ts';
import { type DynamoEngine, startDynamoEngine } from '#test/support/dynamo-engine.ts';
import { demoDomain, prefixes, put, requester, withdrawal } from '#test/unit/mitigation/fixtures.ts';

const identityId = 'A'.repeat(43);
const alice = requester('alice', identityId);

let engine: DynamoEngine;
let store: Store;

/** What the handlers have written to standard output, instead of writing it there. */
const logged: string[] = [];
const write = process.stdout.write.bind(process.stdout);
beforeEach(() => {
  logged.length = 0;
  process.stdout.write = (line) => logged.push(String(line)) > 0;
});
afterEach(() => {
  process.stdout.write = write;
});

beforeAll(async () => {
  engine = await startDynamoEngine();
  const tableName = await engine.createTable();
  Object.assign(process.env, {
    TABLE_NAME: tableName,
    MITIGATION_REQUEST_FUNCTION: 'mitigation-request',
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_REGION: 'local',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  store = createDynamoStore({
    client: engine.client,
    tableName,
    clock: { epochSeconds: () => Math.floor(Date.now() / 1000) },
  });
  await store.putDomain(demoDomain());
  await store.putIdentity({
    id: identityId as IdentityId,
    domainId: demoDomain().id,
    role: 'client',
    status: 'active',
    label: 'alice',
    createdAt: 0,
  });
}, 20_000);
afterAll(() => engine.stop());

/** A handler as the runtime calls it; its types name a package that only the runtime has. */
const invoke = async (path: string, event: unknown): Promise<unknown> => {
  const { handler } = (await import(path)) as {
    handler: (event: unknown, context: unknown) => Promise<unknown>;
  };
  return handler(JSON.parse(JSON.stringify(event)), { getRemainingTimeInMillis: () => 1000 });
};

const request = (...commands: unknown[]): Promise<unknown> =>
  invoke('#functions/mitigation-request/handler.ts', { domainId: 'demo', commands });

test('a request is decided, committed and read back', async () => {
  const { answers } = (await request(put(alice, 1, prefixes('192.0.2.1/32')))) as MitigationRequestResult;
  expect(answers).toEqual([{ result: 'created', mid: 1, lifetimeSeconds: 3600 }]);
  expect(await store.mitigations(demoDomain().id, alice.cuid)).toMatchObject([
    { mid: 1, status: 'inProgress', desired: 'present' },
  ]);
  expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'info',
      domainId: 'demo',
      command: 'put',
      identityId,
      cuid: 'alice',
      mid: 1,
      source: 'client',
      result: 'created',
    },
  ]);
});

test('300 requests in one event and their override are settled in transactions that the engine accepts', async () => {
  const address = (number: number): string => `2001:db8::${number.toString(16)}/128`;
  const puts = Array.from({ length: 300 }, (_, number) => put(alice, 10 + number, prefixes(address(number))));
  const many = (await request(...puts)) as MitigationRequestResult;
  expect(new Set(many.answers.map(({ result }) => result))).toEqual(new Set(['created']));
  const wide = (await request(put(alice, 1000, prefixes('2001:db8::/32')))) as MitigationRequestResult;
  expect(wide.answers.map(({ result }) => result)).toEqual(['created']);
  const stored = await store.mitigations(demoDomain().id, alice.cuid);
  expect(stored.filter((each) => each.removedAt === undefined).map(({ mid }) => mid)).toEqual([1, 1000]);
}, 20_000);

test('an event that the port does not know fails, and changes nothing', async () => {
  const before = await store.snapshot(demoDomain().id);
  await expect(request({ ...withdrawal(alice, 1), mid: -1 })).rejects.toThrow('mid');
  expect(logged).toEqual([expect.stringContaining('"level":"error"')]);
  expect(await store.snapshot(demoDomain().id)).toEqual(before);
});

test('the authorizer knows whom the registry knows', async () => {
  const ask = (identity: string): Promise<unknown> =>
    invoke('#functions/authorizer/handler.ts', { identityId: identity });
  expect(await ask(identityId)).toMatchObject({ allowed: true, domainId: 'demo', role: 'client' });
  expect(await ask('B'.repeat(43))).toEqual({ allowed: false, reason: 'unknown-identity' });
});

test('the sweeper finds nothing to do where nothing is due', async () => {
  expect(await invoke('#functions/sweeper/handler.ts', {})).toEqual({ due: 0, stopped: 0 });
  expect(logged).toEqual([]);
});
