/** RFC 9132 §4.4.4, Withdraw a Mitigation. */
import { remainingLifetime } from '#core/mitigation/lifetime.ts';
import { NOON, prefixes, put, requester, World, withdrawal } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');
const request = put(alice, 1, prefixes('192.0.2.1/32'));

const active = (): World => {
  const world = new World();
  world.ask(request);
  return world;
};

test('A-214 S-233 S-234 S-186 a withdrawal is 2.02 at once and the mitigation goes on with status 5', () => {
  const world = active();
  expect(world.code(withdrawal(alice, 1))).toBe('2.02');
  expect(world.record(alice, 1)).toMatchObject({ status: 'activeButTerminating', desired: 'present' });
  expect(world.listed(alice)).toEqual([1]);
});

test('S-232 an unknown mid is 2.02 and writes nothing', () => {
  const world = active();
  expect(world.code(withdrawal(alice, 999))).toBe('2.02');
  expect(world.last?.writes).toEqual([]);
});

test('another client’s mid is 2.02 without effect', () => {
  const world = active();
  expect(world.code(withdrawal(requester('alice', 'id-of-mallory'), 1))).toBe('2.02');
  expect(world.code(withdrawal(requester('bob'), 1))).toBe('2.02');
  expect(world.record(alice, 1).status).toBe('inProgress');
});

test('A-215 A-218 S-235 S-237 S-187 after 120 s it is terminated: status 6 once, nothing wanted any more, gone', () => {
  const world = active();
  world.ask(withdrawal(alice, 1));
  world.pass(119);
  expect(world.record(alice, 1)).toMatchObject({ status: 'activeButTerminating', desired: 'present' });
  world.pass(1);
  expect(world.record(alice, 1)).toMatchObject({
    status: 'terminated',
    desired: 'absent',
    removedAt: NOON + 120,
    notices: [{ sequence: 1, status: 'terminated', repeat: 1, at: NOON + 120 }],
  });
  expect(world.listed(alice)).toEqual([]);
});

test('while terminating, the lifetime is what is left of the period (D10); withdrawing again changes nothing', () => {
  const world = active();
  world.ask(withdrawal(alice, 1));
  world.now += 50;
  expect(world.code(withdrawal(alice, 1))).toBe('2.02');
  expect(world.last?.writes).toEqual([]);
  expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(70);
});

test('A-217 S-236 asking again within the period doubles the next one up to 300 s; after it, it is 120 s again', () => {
  const world = active();
  const period = (): number => {
    world.ask(withdrawal(alice, 1));
    return remainingLifetime(world.record(alice, 1), world.now);
  };
  const periods: number[] = [];
  for (let cycle = 0; cycle < 4; cycle++) {
    periods.push(period());
    world.now += 10;
    expect(world.code(request)).toBe('2.01');
  }
  expect(periods).toEqual([120, 240, 300, 300]);
  world.ask(withdrawal(alice, 1));
  world.pass(300);
  world.ask(request);
  expect(period()).toBe(120);
});

test('A-216 S-238 a PUT within the period makes it active again without a gap: 2.01', () => {
  const world = active();
  const generation = world.record(alice, 1).generation;
  world.ask(withdrawal(alice, 1));
  world.now += 60;
  expect(world.code(request)).toBe('2.01');
  world.pass(60);
  expect(world.record(alice, 1)).toMatchObject({
    status: 'inProgress',
    desired: 'present',
    generation,
    startedAt: NOON,
    expiresAt: NOON + 60 + 3600,
  });
});

test('a PUT within the period under a new mid takes over, and doubles as well', () => {
  const world = active();
  world.ask(withdrawal(alice, 1));
  expect(world.code(put(alice, 2, prefixes('192.0.2.0/24')))).toBe('2.01');
  expect(world.record(alice, 1)).toMatchObject({ status: 'terminated', desired: 'absent' });
  expect(world.record(alice, 2)).toMatchObject({ terminatingSeconds: 240 });
});

test('a withdrawn mid may come back with another scope: the resource was deleted', () => {
  const world = active();
  world.ask(withdrawal(alice, 1));
  world.now += 5;
  expect(world.code(put(alice, 1, prefixes('198.51.100.1/32')))).toBe('2.01');
  expect(world.record(alice, 1)).toMatchObject({ startedAt: NOON + 5, generation: 3, sv: 3 });
});

test('S-239 a preconfigured request that is not active is gone at once, with no status to tell', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { triggerMitigation: false }));
  expect(world.code(withdrawal(alice, 1))).toBe('2.02');
  expect(world.listed(alice)).toEqual([]);
  expect(world.record(alice, 1)).toMatchObject({ removedAt: NOON, notices: [], desired: 'absent' });
});

test('the domain’s own periods are used', () => {
  const world = new World({ terminatingSeconds: 5, maxTerminatingSeconds: 8 });
  world.ask(request);
  world.ask(withdrawal(alice, 1));
  expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(5);
  world.ask(request);
  expect(world.record(alice, 1).terminatingSeconds).toBe(8);
});
