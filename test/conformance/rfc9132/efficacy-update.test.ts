/** RFC 9132 §4.4.3, Efficacy Update from DOTS Clients. */
import {
  efficacy,
  NOON,
  put,
  requester,
  scopeOf,
  World,
  withdrawal,
} from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');
const scope = scopeOf({
  targetPrefixes: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
  targetPortRanges: [{ lowerPort: 80 }, { lowerPort: 443 }, { lowerPort: 8080 }],
  targetProtocols: [6],
});

const active = (): World => {
  const world = new World();
  world.ask(put(alice, 123, scope, { lifetimeSeconds: 1000 }));
  world.now += 900;
  return world;
};

test('S-215 S-220 S-224 an update of a known mid is 2.04, is remembered and refreshes', () => {
  const world = active();
  const update = efficacy(alice, 123, scope, {
    lifetimeSeconds: 3600,
    attackStatus: 'attackSuccessfullyMitigated',
  });
  expect(world.ask(update)).toEqual({ result: 'changed', mid: 123, lifetimeSeconds: 3600 });
  expect(world.record(alice, 123)).toMatchObject({
    attackStatus: 'attackSuccessfullyMitigated',
    expiresAt: NOON + 900 + 3600,
  });
  world.ask(put(alice, 123, scope));
  expect(world.record(alice, 123).attackStatus).toBe('attackSuccessfullyMitigated');
});

test('S-223 the update of Figure 16 has no lifetime: the last granted one again', () => {
  const world = active();
  expect(world.ask(efficacy(alice, 123, scope))).toEqual({
    result: 'changed',
    mid: 123,
    lifetimeSeconds: 1000,
  });
  expect(world.record(alice, 123).expiresAt).toBe(NOON + 1900);
});

test('S-218 an update with other parameters is 4.00; record and lifetime stay', () => {
  const world = active();
  const before = world.record(alice, 123);
  const fewer = { ...scope, targetPortRanges: scope.targetPortRanges.slice(1) };
  expect(world.code(efficacy(alice, 123, fewer))).toBe('4.00');
  expect(world.code(efficacy(alice, 123, scope, { triggerMitigation: false }))).toBe('4.00');
  expect(world.code(efficacy(alice, 123, scope, { lifetimeSeconds: 0 }))).toBe('4.00');
  expect(world.record(alice, 123)).toBe(before);
});

test('S-221 with If-Match an unknown, withdrawn or foreign mid is ignored in silence', () => {
  const world = active();
  expect(world.ask(efficacy(alice, 124, scope))).toEqual({ result: 'ignored' });
  expect(world.ask(efficacy(requester('alice', 'id-of-mallory'), 123, scope))).toEqual({ result: 'ignored' });
  world.ask(withdrawal(alice, 123));
  const terminating = world.record(alice, 123);
  world.now += 60;
  expect(world.ask(efficacy(alice, 123, scope))).toEqual({ result: 'ignored' });
  expect(world.record(alice, 123)).toBe(terminating);
  world.pass(60);
  expect(world.ask(efficacy(alice, 123, scope))).toEqual({ result: 'ignored' });
  expect(world.listed(alice)).toEqual([]);
});

test('S-222 without If-Match a known mid is updated, an unknown one is 4.00 and not created', () => {
  const world = active();
  expect(world.code(efficacy(alice, 123, scope, { ifMatch: false }))).toBe('2.04');
  expect(world.code(efficacy(alice, 124, scope, { ifMatch: false }))).toBe('4.00');
  expect(world.listed(alice)).toEqual([123]);
});
