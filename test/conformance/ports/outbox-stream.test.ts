/** What a real engine's stream carries, read as the outbox reads it. */

import { createDynamoStore } from '#adapters/dynamodb/store.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import { entryOfRecord, type StreamRecord } from '#functions/outbox/stream.ts';
import { type DynamoEngine, startDynamoEngine } from '#test/support/dynamo-engine.ts';
import { manualClock } from '#test/support/manual-clock.ts';
import {
  CUID,
  DEMO,
  IDENTITY,
  keyOf,
  makeDomain,
  makeMitigation,
  makeReport,
} from '#test/support/records.ts';

let engine: DynamoEngine;
beforeAll(async () => {
  engine = await startDynamoEngine();
}, 20_000);
afterAll(() => engine.stop());

test('commits, reports, postponements and removals become exactly the entries that mitigators need', async () => {
  const clock = manualClock();
  const tableName = await engine.createTable();
  const store = createDynamoStore({ client: engine.client, tableName, clock });
  await store.putDomain(makeDomain());
  let sv = 0;
  const commit = async (mitigation: Mitigation): Promise<void> => {
    const cuidClaim = { cuid: CUID, identityId: IDENTITY };
    const result = await store.commit({
      domainId: DEMO,
      expectedSv: sv++,
      mitigations: [mitigation],
      cuidClaim,
      audit: [{ at: 1, domainId: DEMO, actor: 'client', action: 'put', detail: {} }],
    });
    expect(result).toEqual({ ok: true, sv });
  };
  await commit(makeMitigation());
  await commit(makeMitigation({ lifetimeSeconds: 7200 }));
  await store.putReport(makeReport());
  await commit(makeMitigation({ desired: 'absent', generation: 2, removedAt: clock.epochSeconds() }));
  clock.advance(60);
  await store.forget(keyOf(makeMitigation()));
  await store.putReport(makeReport({ generation: 2, state: 'removed' }));
  await store.forget(keyOf(makeMitigation()));
  await commit(makeMitigation());

  const records = await readStream(tableName);
  const entries = records.flatMap((record) => entryOfRecord(record) ?? []);
  expect(entries.map(({ mid, generation, id }) => ({ mid, generation, id }))).toEqual([
    { mid: 1, generation: 1, id: 1 },
    { mid: 1, generation: 2, id: 3 },
    { mid: 1, generation: 1, id: 4 },
  ]);
  expect(records.length).toBeGreaterThan(entries.length + 5);
});

/** Every record of the table's stream, from its beginning. */
async function readStream(tableName: string): Promise<StreamRecord[]> {
  const { Streams = [] } = await call<{ Streams?: { StreamArn: string }[] }>('ListStreams', {
    TableName: tableName,
  });
  const StreamArn = Streams[0]?.StreamArn;
  const { StreamDescription } = await call<{ StreamDescription: { Shards: { ShardId: string }[] } }>(
    'DescribeStream',
    { StreamArn },
  );
  const all: StreamRecord[] = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const { ShardIterator } = await call<{ ShardIterator: string }>('GetShardIterator', {
      StreamArn,
      ShardId,
      ShardIteratorType: 'TRIM_HORIZON',
    });
    const { Records } = await call<{ Records: StreamRecord[] }>('GetRecords', { ShardIterator });
    all.push(...Records);
  }
  return all;
}

/** The streams API by hand: its client is no dependency of the product. */
async function call<Answer>(operation: string, body: unknown): Promise<Answer> {
  const response = await fetch(engine.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
      'x-amz-date': '20261125T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20261125/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}
