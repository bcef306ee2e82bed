import { decide } from '#core/mitigation/decide.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { demoDomain, lost, NOON, prefixes, put, requester, World, withdrawal } from './fixtures.ts';

const alice = requester('alice');
const preconfigured = { triggerMitigation: false };

test('a tombstone is seen for its grace, then forgotten', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32'), preconfigured));
  world.ask(withdrawal(alice, 1));
  world.view.pruneTombstones(NOON + 59);
  expect(world.view.record(alice.cuid, 1 as Mid)).toMatchObject({ removedAt: NOON });
  expect(world.view.client(alice.cuid)).toBeDefined();
  world.view.pruneTombstones(NOON + 60);
  expect(world.view.record(alice.cuid, 1 as Mid)).toBeUndefined();
  expect(world.view.client(alice.cuid)).toBeUndefined();
});

test('what is live is never pruned, however old', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 10 }));
  world.view.pruneTombstones(NOON + 1_000_000);
  expect(world.view.liveCount).toBe(1);
});

test('requests that are gone cost a lost session nothing', () => {
  const world = new World();
  for (let mid = 0; mid < 100; mid++) {
    world.ask(put(alice, mid, prefixes(`192.0.2.${mid}/32`), preconfigured));
    world.ask(withdrawal(alice, mid));
  }
  const before = world.view.cost.probes;
  decide(world.view, lost(alice), world.now);
  expect(world.view.cost.probes - before).toBeLessThan(5);
});

test('a newer snapshot brings what changed, and the registry as it is now', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  const changed = { ...world.record(alice, 1), sv: 2, lifetimeSeconds: 7 };
  const domain = { ...demoDomain(), prefixes: ['203.0.113.0/24'] };
  world.view.update({ sv: 2, domain, mitigations: [changed], aliases: [] });
  expect(world.view.sv).toBe(2);
  expect(world.record(alice, 1).lifetimeSeconds).toBe(7);
  expect(world.code(put(alice, 2, prefixes('203.0.113.1/32')))).toBe('2.01');
});

test('a registry that holds no prefix where one belongs is an error, not a wider permission', () => {
  const world = new World();
  const domain = { ...demoDomain(), prefixes: ['0.0.0.0/0 '] };
  expect(() => world.view.update({ sv: 1, domain, mitigations: [], aliases: [] })).toThrow('not a prefix');
});
