/** The registry: domains, identities, keys, session configuration. */
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import {
  CUID,
  DEMO,
  IDENTITY,
  makeDomain,
  makeIdentity,
  makeMitigation,
  OTHER,
  OTHER_CUID,
  OTHER_IDENTITY,
} from '#test/support/records.ts';
import { commit, type StoreUnderTest } from './store-under-test.ts';

export function describeRegistry(it: StoreUnderTest): void {
  describe('registry', () => {
    test('a domain comes back as it was put, and the last put counts', async () => {
      expect(await it.store.domain(DEMO)).toEqual(makeDomain());
      await it.store.putDomain(makeDomain({ name: 'Renamed' }));
      expect((await it.store.domain(DEMO))?.name).toBe('Renamed');
      expect((await it.store.domains()).map(({ id }) => id).sort()).toEqual([DEMO, OTHER]);
      expect(await it.store.domain('none' as DomainId)).toBeUndefined();
    });

    test('putting a domain again keeps its version and its mitigations', async () => {
      await commit(it, { mitigations: [makeMitigation()] });
      await it.store.putDomain(makeDomain({ name: 'Renamed' }));
      const snapshot = await it.store.snapshot(DEMO);
      expect(snapshot?.sv).toBe(1);
      expect(snapshot?.domain.name).toBe('Renamed');
      expect(snapshot?.mitigations).toHaveLength(1);
    });

    test('a prefix that overlaps what another domain owns has that owner', async () => {
      expect(await it.store.prefixOwner('203.0.113.7/32', DEMO)).toBe(OTHER);
      expect(await it.store.prefixOwner('203.0.0.0/16', DEMO)).toBe(OTHER);
      expect(await it.store.prefixOwner('203.0.113.0/24', OTHER)).toBeUndefined();
      expect(await it.store.prefixOwner('198.51.100.0/24', DEMO)).toBeUndefined();
      expect(await it.store.prefixOwner('2001:db8:1::/48', OTHER)).toBe(DEMO);
    });

    test('identities are found by id and by domain', async () => {
      await it.store.putIdentity(makeIdentity());
      await it.store.putIdentity(makeIdentity({ id: OTHER_IDENTITY, domainId: OTHER }));
      expect(await it.store.identity(IDENTITY)).toEqual(makeIdentity());
      expect(await it.store.identities(DEMO)).toEqual([makeIdentity()]);
      await it.store.putIdentity(makeIdentity({ status: 'revoked' }));
      expect((await it.store.identity(IDENTITY))?.status).toBe('revoked');
      expect(await it.store.identity('C'.repeat(43) as IdentityId)).toBeUndefined();
    });

    test('an identity that moves to another domain is listed there alone', async () => {
      await it.store.putIdentity(makeIdentity());
      await it.store.putIdentity(makeIdentity({ domainId: OTHER }));
      expect(await it.store.identities(DEMO)).toEqual([]);
      expect(await it.store.identities(OTHER)).toHaveLength(1);
    });

    test('a pre-shared key comes back under its name', async () => {
      const key = Uint8Array.from({ length: 32 }, (_, index) => index);
      await it.store.putPsk('demo-psk', new Uint8Array(16));
      await it.store.putPsk('demo-psk', key);
      await it.store.putPsk('näme #2', key.subarray(0, 16));
      const keys = await it.store.psks();
      expect([...keys.keys()].sort()).toEqual(['demo-psk', 'näme #2']);
      expect([...(keys.get('demo-psk') ?? [])]).toEqual([...key]);
    });

    test('session configuration is kept per identity and cuid', async () => {
      await it.store.putSessionConfig(IDENTITY, CUID, { sid: 7, idle: { heartbeatInterval: 30 } });
      await it.store.putSessionConfig(IDENTITY, OTHER_CUID, { sid: 8 });
      expect(await it.store.sessionConfig(IDENTITY, CUID)).toEqual({
        sid: 7,
        idle: { heartbeatInterval: 30 },
      });
      expect(await it.store.sessionConfig(OTHER_IDENTITY, CUID)).toBeUndefined();
    });
  });
}
