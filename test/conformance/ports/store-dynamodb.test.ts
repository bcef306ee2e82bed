/** DynamoDB keeps the store contract, against a real engine. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { pskKey } from '#adapters/dynamodb/keys.ts';
import { keyItem } from '#adapters/dynamodb/marshal.ts';
import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import { identityOfPsk } from '#adapters/pki/identity.ts';
import { type DynamoEngine, startDynamoEngine } from '#test/support/dynamo-engine.ts';
import { manualClock } from '#test/support/manual-clock.ts';
import { DEMO, makeDomain, makeMitigation, mid } from '#test/support/records.ts';
import { describeStore } from './store-contract.ts';

const SECRET_KEY = new Uint8Array(32).fill(7);

let engine: DynamoEngine;
beforeAll(async () => {
  engine = await startDynamoEngine();
}, 20_000);
afterAll(() => engine.stop());

describeStore('DynamoDB', async () => {
  const clock = manualClock();
  const tableName = await engine.createTable();
  const store = createDynamoStore({ client: engine.client, tableName, clock, secretKey: SECRET_KEY });
  return { store, clock, end: () => store.close() };
});

test('a pre-shared key is sealed in the table', async () => {
  const tableName = await engine.createTable();
  const key = Uint8Array.from('0123456789abcdef', (character) => character.charCodeAt(0));
  const store = createDynamoStore({
    client: engine.client,
    tableName,
    clock: manualClock(),
    secretKey: SECRET_KEY,
  });
  await store.putPsk('demo-psk', key);
  const stored = await engine.client.send(
    new GetItemCommand({ TableName: tableName, Key: keyItem(pskKey(identityOfPsk('demo-psk'))) }),
  );
  const sealed = Buffer.from(stored.Item?.['sealed']?.B ?? []);
  expect(sealed.length).toBeGreaterThan(key.length);
  expect(sealed.includes(Buffer.from(key))).toBe(false);
});

test('a commit that no transaction carries is refused before anything is written', async () => {
  const tableName = await engine.createTable();
  const store = createDynamoStore({ client: engine.client, tableName, clock: manualClock() });
  await store.putDomain(makeDomain());
  const mitigations = Array.from({ length: 98 }, (_, index) => makeMitigation({ mid: mid(index) }));
  await expect(store.commit({ domainId: DEMO, expectedSv: 0, mitigations, audit: [] })).rejects.toThrow(
    'at most 97',
  );
  expect((await store.snapshot(DEMO))?.mitigations).toEqual([]);
});

test('a table that is not there is an error that says what to check', async () => {
  const store = createDynamoStore({ client: engine.client, tableName: 'missing', clock: manualClock() });
  await expect(store.domain(DEMO)).rejects.toMatchObject({
    name: 'StoreError',
    code: 'failed',
    message: expect.stringContaining('check the table') as string,
  });
});
