/** The one way to change mitigations. */
import type { DomainId } from '#core/model/identifiers.ts';
import {
  auditEntry,
  CUID,
  DEMO,
  IDENTITY,
  keyOf,
  makeMitigation,
  mid,
  OTHER,
  OTHER_IDENTITY,
} from '#test/support/records.ts';
import { ATTEMPTS, commit, commitWithRetries, type StoreUnderTest } from './store-under-test.ts';

export function describeCommit(it: StoreUnderTest): void {
  describe('commit', () => {
    test('writes mitigations whole, with the new version', async () => {
      const mitigation = makeMitigation({
        conflict: { cause: 'overlappingTargets', status: 'inactive', retryTimerSeconds: 120 },
        notices: [{ sequence: 1, status: 'withdrawn', repeat: 4, at: 1_800_000_000 }],
      });
      expect(await commit(it, { mitigations: [mitigation] })).toEqual({ ok: true, sv: 1 });
      expect(await it.store.mitigation(keyOf(mitigation))).toEqual({ ...mitigation, sv: 1 });
      expect(await it.store.mitigation({ ...keyOf(mitigation), mid: mid(2) })).toBeUndefined();
    });

    test('at an outdated version changes nothing', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      const late = await it.store.commit({
        domainId: DEMO,
        expectedSv: 0,
        mitigations: [makeMitigation({ mid: mid(2) })],
        cuidClaim: { cuid: CUID, identityId: IDENTITY },
        audit: [auditEntry('late')],
      });
      expect(late).toEqual({ ok: false, reason: 'lock-lost' });
      expect(await it.store.mitigations(DEMO, CUID)).toHaveLength(1);
      expect(await it.store.cuidOwner(CUID)).toBeUndefined();
      expect(await it.store.audit(DEMO, 10)).toEqual([]);
    });

    test('in a domain that is not registered is lost', async () => {
      const domainId = 'none' as DomainId;
      const result = await it.store.commit({ domainId, expectedSv: 0, mitigations: [], audit: [] });
      expect(result).toEqual({ ok: false, reason: 'lock-lost' });
      expect(await it.store.snapshot(domainId)).toBeUndefined();
    });

    test('a cuid of another identity fails the whole commit', async () => {
      await commit(it, { cuidClaim: { cuid: CUID, identityId: IDENTITY } });
      const taken = await commit(it, {
        mitigations: [makeMitigation()],
        cuidClaim: { cuid: CUID, identityId: OTHER_IDENTITY },
        audit: [auditEntry('taken')],
      });
      expect(taken).toEqual({ ok: false, reason: 'cuid-taken' });
      expect(await it.store.cuidOwner(CUID)).toBe(IDENTITY);
      expect(await it.store.mitigations(DEMO, CUID)).toEqual([]);
      expect(await it.store.audit(DEMO, 10)).toEqual([]);
      expect((await it.store.snapshot(DEMO))?.sv).toBe(1);
    });

    test('a cuid may be claimed again by the identity that holds it', async () => {
      const cuidClaim = { cuid: CUID, identityId: IDENTITY };
      expect((await commit(it, { cuidClaim })).ok).toBe(true);
      expect((await commit(it, { cuidClaim })).ok).toBe(true);
    });

    test('of two domains that claim one cuid at once, one gets it', async () => {
      const results = await Promise.all([
        commit(it, { cuidClaim: { cuid: CUID, identityId: IDENTITY } }),
        commit(it, { domainId: OTHER, cuidClaim: { cuid: CUID, identityId: OTHER_IDENTITY } }),
      ]);
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      const winner = results[0].ok ? IDENTITY : OTHER_IDENTITY;
      expect(await it.store.cuidOwner(CUID)).toBe(winner);
      expect(results.find(({ ok }) => !ok)).toEqual({ ok: false, reason: 'cuid-taken' });
    });

    test('two hundred at once in one domain: each acknowledged one is there exactly once, no other', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          commitWithRetries(it, index, {
            mitigations: [makeMitigation({ mid: mid(index) })],
            audit: [auditEntry(`mid ${index}`)],
          }),
        ),
      );
      const acknowledged = outcomes.flatMap((sv, index) => (sv === undefined ? [] : [{ mid: index, sv }]));
      // Whoever gave up has lost to that many others.
      expect(acknowledged.length).toBeGreaterThanOrEqual(ATTEMPTS);
      const versions = acknowledged.map(({ sv }) => sv).sort((left, right) => left - right);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
      const stored = await it.store.mitigations(DEMO, CUID);
      expect(stored.map((one) => ({ mid: one.mid, sv: one.sv }))).toEqual(acknowledged);
      const audited = (await it.store.audit(DEMO, 1000)).map(({ action }) => action);
      expect(audited.sort()).toEqual(acknowledged.map((one) => `mid ${one.mid}`).sort());
    }, 60_000);

    test('a full commit of ninety mitigations, a claim and six audit entries is one step', async () => {
      const result = await commit(it, {
        mitigations: Array.from({ length: 90 }, (_, index) => makeMitigation({ mid: mid(index) })),
        cuidClaim: { cuid: CUID, identityId: IDENTITY },
        audit: Array.from({ length: 6 }, (_, index) => auditEntry(`step ${index}`)),
      });
      expect(result).toEqual({ ok: true, sv: 1 });
      expect((await it.store.snapshot(DEMO, 0))?.mitigations).toHaveLength(90);
      expect((await it.store.audit(DEMO, 4)).map(({ action }) => action)).toEqual([
        'step 5',
        'step 4',
        'step 3',
        'step 2',
      ]);
    });

    test('audit is newest first and of one domain', async () => {
      await commit(it, { audit: [auditEntry('first')] });
      it.clock.advance(100_000);
      await commit(it, { audit: [{ ...auditEntry('second'), at: it.clock.epochSeconds() }] });
      await commit(it, { domainId: OTHER, audit: [{ ...auditEntry('other'), domainId: OTHER }] });
      expect(await it.store.audit(DEMO, 10)).toEqual([
        { ...auditEntry('second'), at: it.clock.epochSeconds() },
        auditEntry('first'),
      ]);
      expect((await it.store.audit(DEMO, 1)).map(({ action }) => action)).toEqual(['second']);
    });
  });
}
