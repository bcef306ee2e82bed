/** Records of the table's stream, as entries of the outbox and as partial batch responses. */
import { mitigationItem } from '#adapters/dynamodb/commit.ts';
import { domainKey, reportKey } from '#adapters/dynamodb/keys.ts';
import { keyItem, text, whole } from '#adapters/dynamodb/marshal.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { OutboxEntry } from '#core/ports/outbox.ts';
import { entryOfRecord, publishStream, type StreamRecord } from '#functions/outbox/stream.ts';
import { CUID, DEMO, makeMitigation, mid } from '#test/support/records.ts';

function record(after: Mitigation | undefined, before?: Mitigation, sequence = '1'): StreamRecord {
  const { PK, SK } = mitigationItem(after ?? before ?? makeMitigation());
  return {
    dynamodb: {
      SequenceNumber: sequence,
      Keys: { ...(PK && { PK }), ...(SK && { SK }) },
      NewImage: after && mitigationItem(after),
      OldImage: before && mitigationItem(before),
    },
  };
}

test('a new mitigation and a changed generation are entries, at the version of the domain', () => {
  expect(entryOfRecord(record(makeMitigation({ sv: 7, mid: mid(4_294_967_295) })))).toEqual({
    domainId: DEMO,
    cuid: CUID,
    mid: 4_294_967_295,
    generation: 1,
    id: 7,
  });
  const withdrawn = makeMitigation({ sv: 9, generation: 2, desired: 'absent' });
  expect(entryOfRecord(record(withdrawn, makeMitigation({ sv: 7 })))).toMatchObject({ generation: 2, id: 9 });
});

test('a refresh, a removal, and a mitigation that starts with nothing desired are none', () => {
  expect(entryOfRecord(record(makeMitigation({ sv: 8 }), makeMitigation({ sv: 7 })))).toBeUndefined();
  expect(entryOfRecord(record(undefined, makeMitigation()))).toBeUndefined();
  expect(entryOfRecord(record(makeMitigation({ generation: 0, desired: 'absent' })))).toBeUndefined();
});

test('records of anything else are none', () => {
  for (const key of [domainKey(DEMO), reportKey(makeMitigation(), 'edge')]) {
    const image = { ...keyItem(key), generation: whole(1), body: text('{}') };
    const other = { dynamodb: { SequenceNumber: '1', Keys: keyItem(key), NewImage: image } };
    expect(entryOfRecord(other)).toBeUndefined();
  }
});

describe('a batch', () => {
  const batch = {
    Records: [1, 2, 3].map((number) =>
      record(makeMitigation({ mid: mid(number) }), undefined, `seq-${number}`),
    ),
  };

  test('that is published whole has no failures', async () => {
    const published: (readonly OutboxEntry[])[] = [];
    const publish = (entries: readonly OutboxEntry[]): Promise<void> => {
      published.push(entries);
      return Promise.resolve();
    };
    expect(await publishStream(publish, batch, () => undefined)).toEqual({ batchItemFailures: [] });
    expect(published.map((entries) => entries.map((entry) => entry.mid))).toEqual([[1, 2, 3]]);
  });

  test('with one that fails names it, after all before it have been published', async () => {
    const published: number[] = [];
    const errors: unknown[] = [];
    const publish = (entries: readonly OutboxEntry[]): Promise<void> => {
      if (entries.some((entry) => entry.mid === 2)) return Promise.reject(new Error('no'));
      published.push(...entries.map((entry) => entry.mid));
      return Promise.resolve();
    };
    const answer = await publishStream(publish, batch, (error) => errors.push(error));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'seq-2' }] });
    expect(published).toEqual([1]);
    expect(errors).toHaveLength(2);
  });
});
