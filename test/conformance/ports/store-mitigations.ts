/** Single records, lists, and what is due. */
import type { Cuid } from '#core/model/identifiers.ts';
import {
  CUID,
  DEMO,
  keyOf,
  makeMitigation,
  makeReport,
  mid,
  OTHER,
  withoutExpiry,
} from '#test/support/records.ts';
import { commit, type StoreUnderTest } from './store-under-test.ts';

export function describeMitigations(it: StoreUnderTest): void {
  describe('mitigations', () => {
    test('of one client are in ascending mid, whatever the digits', async () => {
      for (const number of [10, 4_294_967_295, 9, 0])
        await commit(it, { mitigations: [makeMitigation({ mid: mid(number) })] });
      expect((await it.store.mitigations(DEMO, CUID)).map((one) => one.mid)).toEqual([
        0, 9, 10, 4_294_967_295,
      ]);
    });

    test('another domain or client never sees them', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      await commit(it, { domainId: OTHER, mitigations: [makeMitigation({ domainId: OTHER, mid: mid(5) })] });
      const longer = `${CUID}x` as Cuid;
      await commit(it, { mitigations: [makeMitigation({ cuid: longer, mid: mid(6) })] });
      expect((await it.store.mitigations(DEMO, CUID)).map((one) => one.mid)).toEqual([1]);
      expect((await it.store.mitigations(OTHER, CUID)).map((one) => one.mid)).toEqual([5]);
      expect((await it.store.snapshot(OTHER))?.mitigations.map((one) => one.mid)).toEqual([5]);
      expect(await it.store.mitigations(OTHER, longer)).toEqual([]);
      expect(await it.store.mitigation({ domainId: OTHER, cuid: CUID, mid: mid(1) })).toBeUndefined();
    });

    test('watched leaves absent ones out and brings the reports', async () => {
      await commit(it, { mitigations: [makeMitigation(), makeMitigation({ mid: mid(2) })] });
      await it.store.putReport(makeReport());
      await it.store.putReport(makeReport({ mitigator: 'filter', state: 'pending' }));
      const keys = [3, 2, 1].map((number) => keyOf(makeMitigation({ mid: mid(number) })));
      const watched = await it.store.watched(keys);
      expect(watched.map((one) => one.mitigation.mid).sort()).toEqual([1, 2]);
      const first = watched.find((one) => one.mitigation.mid === 1);
      expect(first?.reports.map(({ mitigator }) => mitigator)).toEqual(['edge', 'filter']);
      expect(await it.store.watched([])).toEqual([]);
    });

    test('watched takes more keys than one read of any store carries', async () => {
      const many = Array.from({ length: 130 }, (_, index) => makeMitigation({ mid: mid(index) }));
      await commit(it, { mitigations: many.slice(0, 90) });
      await commit(it, { mitigations: many.slice(90) });
      expect(await it.store.watched(many.map(keyOf))).toHaveLength(130);
    });

    test('due are those whose time has come, oldest first', async () => {
      await commit(it, {
        mitigations: [
          makeMitigation({ mid: mid(1), expiresAt: 300 }),
          makeMitigation({ mid: mid(2), expiresAt: 100 }),
          makeMitigation({ mid: mid(3), expiresAt: 50, removedAt: 140 }),
          withoutExpiry(makeMitigation({ mid: mid(4), lifetimeSeconds: -1 })),
          makeMitigation({ mid: mid(5), expiresAt: 301 }),
        ],
      });
      await commit(it, {
        domainId: OTHER,
        mitigations: [makeMitigation({ domainId: OTHER, expiresAt: 150 })],
      });
      const due = await it.store.due(300, 10);
      expect(due.map(({ domainId, mid: number }) => [domainId, number])).toEqual([
        [DEMO, 2],
        [OTHER, 1],
        [DEMO, 3],
        [DEMO, 1],
      ]);
      expect((await it.store.due(300, 2)).map(({ domainId }) => domainId)).toEqual([DEMO, OTHER]);
      expect(await it.store.due(199, 10)).toHaveLength(2);
    });

    test('a refresh moves the time at which a mitigation is due', async () => {
      await commit(it, { mitigations: [makeMitigation({ expiresAt: 100 })] });
      await commit(it, { mitigations: [makeMitigation({ expiresAt: 200 })] });
      expect(await it.store.due(150, 10)).toEqual([]);
      expect(await it.store.due(200, 10)).toHaveLength(1);
      await commit(it, { mitigations: [withoutExpiry(makeMitigation())] });
      expect(await it.store.due(2_000_000_000, 10)).toEqual([]);
    });
  });
}
