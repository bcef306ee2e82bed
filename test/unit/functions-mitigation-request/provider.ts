/** The function on a store in memory: a domain with three clients, a gateway and a revoked identity. */
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { DomainPolicy, Identity, Role } from '#core/model/domain.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import type { Resolver } from '#core/ports/resolver.ts';
import type { Store } from '#core/ports/store.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { demoDomain, NOON } from '#test/unit/mitigation/fixtures.ts';

export const DEMO = 'demo' as DomainId;

export interface Provider {
  readonly parts: SqliteParts;
  readonly store: Store;
  readonly clock: { now: number; epochSeconds(): number; monotonic(): number };
  /** Milliseconds waited, one entry per lost lock. */
  readonly pauses: number[];
  /** Another process on the same store. */
  another(
    store?: Store,
    resolver?: Resolver,
  ): (event: MitigationRequestEvent) => Promise<MitigationRequestResult>;
  ask(...commands: Command[]): Promise<MitigationRequestResult>;
}

const nobody: Resolver = { resolve: () => Promise.resolve(undefined) };

export async function startProvider(policy: Partial<DomainPolicy> = {}): Promise<Provider> {
  const clock = { now: NOON, epochSeconds: () => clock.now, monotonic: () => clock.now * 1000 };
  const parts = await openSqlite({ path: ':memory:', clock });
  const { store } = parts;
  await store.putDomain(demoDomain(policy));
  const other = { ...demoDomain(), id: 'other' as DomainId, prefixes: ['203.0.113.0/24'], names: [] };
  await store.putDomain(other);
  await register(store, 'alice');
  await register(store, 'bob');
  await register(store, 'gateway', 'gateway');
  await register(store, 'revoked', 'client', 'revoked');
  await register(store, 'stranger', 'client', 'active', other.id);
  const pauses: number[] = [];
  const another = (on = store, resolver = nobody): ReturnType<typeof createMitigationRequest> =>
    createMitigationRequest({
      store: on,
      resolver,
      clock,
      random: { fraction: () => 0.5 },
      pause: (milliseconds) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
    });
  const request = another();
  return {
    parts,
    store,
    clock,
    pauses,
    another,
    ask: (...commands) => request({ domainId: DEMO, commands }),
  };
}

async function register(
  store: Store,
  name: string,
  role: Role = 'client',
  status: Identity['status'] = 'active',
  domainId = DEMO,
): Promise<void> {
  const id = `id-of-${name}` as IdentityId;
  await store.putIdentity({ id, domainId, role, status, label: name, createdAt: NOON });
}
