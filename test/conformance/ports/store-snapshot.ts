/** What a decision reads. */
import type { DomainId } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { CUID, DEMO, makeDomain, makeMitigation, mid, OTHER } from '#test/support/records.ts';
import { commit, type StoreUnderTest } from './store-under-test.ts';

export function describeSnapshot(it: StoreUnderTest): void {
  describe('snapshot', () => {
    test('of a new domain is version 0 and empty; of no domain there is none', async () => {
      expect(await it.store.snapshot(DEMO)).toEqual({
        sv: 0,
        domain: makeDomain(),
        mitigations: [],
        aliases: [],
      });
      expect(await it.store.snapshot('none' as DomainId)).toBeUndefined();
    });

    test('since a version holds what changed after it, tombstones included', async () => {
      await commit(it, { mitigations: [makeMitigation(), makeMitigation({ mid: mid(2) })] });
      await commit(it, { mitigations: [makeMitigation({ mid: mid(3) })] });
      await commit(it, {
        mitigations: [makeMitigation({ removedAt: 1_800_000_100, desired: 'absent', generation: 2 })],
      });
      const changed = await it.store.snapshot(DEMO, 1);
      expect(changed?.sv).toBe(3);
      expect(changed?.mitigations.map((one) => [one.mid, one.sv, one.removedAt])).toEqual([
        [3, 2, undefined],
        [1, 3, 1_800_000_100],
      ]);
      expect((await it.store.snapshot(DEMO))?.mitigations).toHaveLength(3);
      expect((await it.store.snapshot(DEMO, 3))?.mitigations).toEqual([]);
    });

    test('holds every alias of the domain that has not run out', async () => {
      const alias = {
        domainId: DEMO,
        cuid: CUID,
        name: 'web',
        scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.0/28'] },
      };
      await it.store.putAlias(alias);
      await it.store.putAlias({ ...alias, name: 'short', expiresAt: it.clock.epochSeconds() + 60 });
      await it.store.putAlias({ ...alias, domainId: OTHER });
      expect((await it.store.snapshot(DEMO))?.aliases.map(({ name }) => name)).toEqual(['short', 'web']);
      it.clock.advance(60);
      expect((await it.store.snapshot(DEMO))?.aliases).toEqual([alias]);
    });

    test('a thousand mitigations of one domain are all there', async () => {
      for (let first = 0; first < 1000; first += 90)
        await commit(it, {
          mitigations: Array.from({ length: Math.min(90, 1000 - first) }, (_, index) =>
            makeMitigation({ mid: mid(first + index) }),
          ),
        });
      const all = await it.store.snapshot(DEMO);
      expect(new Set(all?.mitigations.map((one) => one.mid)).size).toBe(1000);
      expect(await it.store.mitigations(DEMO, CUID)).toHaveLength(1000);
    });
  });
}
