/** What mitigators say. */
import { DEMO, keyOf, makeMitigation, makeReport, mid } from '#test/support/records.ts';
import { commit, type StoreUnderTest } from './store-under-test.ts';

export function describeReports(it: StoreUnderTest): void {
  describe('reports', () => {
    beforeEach(async () => {
      await commit(it, { mitigations: [makeMitigation()] });
    });

    test('keep unsigned 64-bit counters and the driver own state', async () => {
      const report = makeReport({
        counters: { bytesDropped: 18_446_744_073_709_551_615n, packetsDropped: 9_007_199_254_740_993n },
        bytesPerSecondDropped: 12_345_678_901_234_567_890n,
        packetsPerSecondDropped: 0n,
        refs: { handle: 12, nested: ['a', null, true] },
        reason: 'rule loaded',
      });
      expect(await it.store.putReport(report)).toBe(true);
      expect(await it.store.reports(keyOf(report))).toEqual([report]);
    });

    test('of an older generation are not written', async () => {
      expect(await it.store.putReport(makeReport({ generation: 2 }))).toBe(true);
      expect(await it.store.putReport(makeReport({ generation: 1, state: 'failed' }))).toBe(false);
      expect(await it.store.putReport(makeReport({ generation: 2, state: 'stopped' }))).toBe(true);
      expect(await it.store.putReport(makeReport({ generation: 1, mitigator: 'filter' }))).toBe(true);
      const states = (await it.store.reports(keyOf(makeMitigation()))).map((one) => [
        one.mitigator,
        one.generation,
        one.state,
      ]);
      expect(states).toEqual([
        ['edge', 2, 'stopped'],
        ['filter', 1, 'active'],
      ]);
    });

    test('of a mitigation that is not there are not written', async () => {
      expect(await it.store.putReport(makeReport({ mid: mid(77) }))).toBe(false);
      expect(await it.store.reports({ ...keyOf(makeReport()), mid: mid(77) })).toEqual([]);
    });

    test('never move the version of the domain', async () => {
      await it.store.putReport(makeReport());
      expect((await it.store.snapshot(DEMO))?.sv).toBe(1);
    });
  });
}
