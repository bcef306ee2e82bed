/** What is gone for the client, until nobody needs it any more. */
import { keyOf, makeMitigation, makeReport, mid } from '#test/support/records.ts';
import { commit, type StoreUnderTest } from './store-under-test.ts';

export function describeTombstones(it: StoreUnderTest): void {
  describe('tombstones', () => {
    const tombstone = (): ReturnType<typeof makeMitigation> =>
      makeMitigation({ desired: 'absent', generation: 2, removedAt: it.clock.epochSeconds() });
    const unsettled = async (): Promise<number[]> => {
      const mids: number[] = [];
      for await (const mitigation of it.store.unsettled()) mids.push(mitigation.mid);
      return mids.sort((left, right) => left - right);
    };

    test('are unsettled until every report says removed, of this generation', async () => {
      await commit(it, { mitigations: [makeMitigation(), makeMitigation({ mid: mid(2) })] });
      await it.store.putReport(makeReport());
      await it.store.putReport(makeReport({ mitigator: 'filter', state: 'removed' }));
      await commit(it, { mitigations: [tombstone()] });
      expect(await unsettled()).toEqual([1, 2]);
      await it.store.putReport(makeReport({ generation: 2, state: 'removed' }));
      expect(await unsettled()).toEqual([1, 2]);
      await it.store.putReport(makeReport({ mitigator: 'filter', generation: 2, state: 'removed' }));
      expect(await unsettled()).toEqual([2]);
    });

    test('are forgotten with their reports, settled and a minute old', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      await it.store.putReport(makeReport());
      await commit(it, { mitigations: [tombstone()] });
      const key = keyOf(tombstone());
      await it.store.putReport(makeReport({ generation: 2, state: 'removed' }));
      it.clock.advance(59);
      await it.store.forget(key);
      expect(await it.store.mitigation(key)).toBeDefined();
      it.clock.advance(1);
      expect(await it.store.due(it.clock.epochSeconds(), 10)).toEqual([key]);
      await it.store.forget(key);
      expect(await it.store.mitigation(key)).toBeUndefined();
      expect(await it.store.reports(key)).toEqual([]);
      expect(await it.store.due(it.clock.epochSeconds(), 10)).toEqual([]);
    });

    test('that are unsettled are kept, and due again later', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      await it.store.putReport(makeReport());
      await commit(it, { mitigations: [tombstone()] });
      it.clock.advance(3600);
      const key = keyOf(tombstone());
      await it.store.forget(key);
      expect(await it.store.mitigation(key)).toBeDefined();
      expect(await it.store.due(it.clock.epochSeconds(), 10)).toEqual([]);
      it.clock.advance(60);
      expect(await it.store.due(it.clock.epochSeconds(), 10)).toEqual([key]);
    });

    test('only tombstones are forgotten', async () => {
      await commit(it, { mitigations: [makeMitigation({ expiresAt: 1 })] });
      await it.store.forget(keyOf(makeMitigation()));
      expect(await it.store.mitigation(keyOf(makeMitigation()))).toBeDefined();
      expect(await it.store.due(it.clock.epochSeconds(), 10)).toHaveLength(1);
      await it.store.forget({ ...keyOf(makeMitigation()), mid: mid(99) });
    });

    test('a mid that is used again after it was forgotten starts over', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      await it.store.putReport(makeReport({ generation: 5 }));
      await it.store.putReport(makeReport({ generation: 5, state: 'removed' }));
      await commit(it, { mitigations: [tombstone()] });
      it.clock.advance(60);
      await it.store.forget(keyOf(tombstone()));
      await commit(it, { mitigations: [makeMitigation()] });
      expect(await it.store.putReport(makeReport({ generation: 1 }))).toBe(true);
    });
  });
}
