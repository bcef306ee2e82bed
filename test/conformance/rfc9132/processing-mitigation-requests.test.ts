/** RFC 9132 §4.4.1.3, Processing Mitigation Requests: duplicates, order by mid, trigger types, refresh. */
import { errorResponse } from '#core/signal/error-response.ts';
import {
  codeOf,
  conflictOf,
  lost,
  NOON,
  prefixes,
  put,
  requester,
  scopeOf,
  World,
  withdrawal,
} from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');
const preconfigured = { triggerMitigation: false };

test('S-119 S-126 an unknown mid is created, the same PUT again is one record', () => {
  const world = new World();
  expect(world.code(put(alice, 123, prefixes('192.0.2.1/32')))).toBe('2.01');
  expect(world.record(alice, 123)).toMatchObject({ status: 'inProgress', desired: 'present' });
  expect(world.code(put(alice, 123, prefixes('192.0.2.1/32')))).toBe('2.04');
  expect(world.view.liveCount).toBe(1);
});

test('S-125 lifetime 0 is 4.00 for a new mid and for a known one, which stays', () => {
  const world = new World();
  const zero = put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 0 });
  expect(world.code(zero)).toBe('4.00');
  expect(world.view.liveCount).toBe(0);
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  const before = world.record(alice, 1);
  expect(world.code(zero)).toBe('4.00');
  expect(world.record(alice, 1)).toBe(before);
});

test.each([-2, 1.5, 2_147_483_648, Number.NaN])('a lifetime of %d is 4.00', (lifetimeSeconds) => {
  expect(new World().code(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds }))).toBe('4.00');
});

test('S-097 a scope without a target is 4.00', () => {
  expect(new World().code(put(alice, 1, scopeOf({ targetProtocols: [6] })))).toBe('4.00');
});

test('A-049 S-127 above the domain’s limit a request is 5.03 with Max-Age; what is there stays and can be refreshed', () => {
  const world = new World({ maxMitigations: 1 });
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  const refused = world.ask(put(alice, 2, prefixes('192.0.2.2/32')));
  expect(codeOf(refused)).toBe('5.03');
  expect(refused).toMatchObject({ refusal: { code: 'unavailable', retryAfterSeconds: 30 } });
  expect(world.listed(alice)).toEqual([1]);
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32')))).toBe('2.04');
  expect(world.code(put(alice, 3, prefixes('192.0.2.0/24')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([3]);
});

test('at the limit a withdrawn request can still be taken up again', () => {
  const world = new World({ maxMitigations: 1 });
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  world.ask(withdrawal(alice, 1));
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32')))).toBe('2.01');
});

test('A-226 S-128 S-130 the higher mid overrides: the lower one is gone at once, never terminating', () => {
  const world = new World();
  world.ask(put(alice, 10, prefixes('192.0.2.0/24')));
  expect(world.code(put(alice, 11, prefixes('192.0.2.1/32')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([11]);
  expect(world.record(alice, 10)).toMatchObject({
    status: 'terminated',
    desired: 'absent',
    removedAt: NOON,
    notices: [{ sequence: 1, status: 'terminated', repeat: 1 }],
  });
});

test.each([
  ['prefix in prefix', { targetPrefixes: ['192.0.2.0/24'] }, { targetPrefixes: ['192.0.2.1/32'] }],
  ['prefix around prefix', { targetPrefixes: ['192.0.2.1/32'] }, { targetPrefixes: ['192.0.2.0/24'] }],
  ['IPv6', { targetPrefixes: ['2001:db8::/48'] }, { targetPrefixes: ['2001:db8::1/128'] }],
  [
    'the same address with other ports and protocols',
    { targetPrefixes: ['192.0.2.1/32'], targetProtocols: [6], targetPortRanges: [{ lowerPort: 80 }] },
    { targetPrefixes: ['192.0.2.1/32'], targetProtocols: [17], targetPortRanges: [{ lowerPort: 53 }] },
  ],
  [
    'the same FQDN with other ports',
    { targetFqdns: ['a.demo.example'], targetPortRanges: [{ lowerPort: 80 }] },
    { targetFqdns: ['A.demo.example.'], targetPortRanges: [{ lowerPort: 53 }] },
  ],
  [
    'the same URI',
    { targetUris: ['https://a.demo.example/'] },
    { targetUris: ['https://a.demo.example:443'] },
  ],
  ['an address of a name', { targetFqdns: ['a.demo.example'] }, { targetPrefixes: ['192.0.2.7/32'] }],
])('S-129 %s is an overlap', (_what, first, second) => {
  const world = new World();
  world.resolved = new Map([['a.demo.example', ['192.0.2.7/32']]]);
  world.ask(put(alice, 1, scopeOf(first)));
  // The name moves in between: sharing the name alone is enough.
  if ('targetFqdns' in second) world.resolved = new Map([['a.demo.example', ['192.0.2.8/32']]]);
  expect(world.code(put(alice, 2, scopeOf(second)))).toBe('2.01');
  expect(world.listed(alice)).toEqual([2]);
});

test('S-129 the same alias is an overlap, even when it names other addresses by now', () => {
  const world = new World();
  const alias = (prefix: string): void => {
    const scope = prefixes(prefix);
    const own = { domainId: world.view.domain.id, cuid: alice.cuid, name: 'web', scope };
    world.view.update({ sv: world.view.sv, domain: world.view.domain, mitigations: [], aliases: [own] });
  };
  alias('192.0.2.1/32');
  world.ask(put(alice, 1, scopeOf({ aliasNames: ['web'] })));
  alias('192.0.2.2/32');
  world.ask(put(alice, 2, scopeOf({ aliasNames: ['web'] })));
  expect(world.listed(alice)).toEqual([2]);
});

test('requests that share nothing stand side by side', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.0/25')));
  world.ask(put(alice, 2, prefixes('192.0.2.128/25')));
  world.ask(put(alice, 3, prefixes('2001:db8::/64')));
  expect(world.listed(alice)).toEqual([1, 2, 3]);
});

test('S-131 S-133 S-134 S-135 a lower mid than an overlapping one is 4.09 with cause 1 and that mid', () => {
  const world = new World();
  world.ask(put(alice, 11, prefixes('192.0.2.0/24')));
  world.ask(put(alice, 12, prefixes('198.51.100.0/24')));
  const before = world.record(alice, 11);
  const answer = world.ask(put(alice, 10, prefixes('192.0.2.1/32')));
  expect(codeOf(answer)).toBe('4.09');
  expect(conflictOf(answer)).toEqual({ cause: 'overlappingTargets', scope: { mid: 11 } });
  expect(world.last?.writes).toEqual([]);
  expect(world.record(alice, 11)).toBe(before);
});

test('S-415 the 4.09 is a CBOR body', () => {
  const world = new World();
  world.ask(put(alice, 11, prefixes('192.0.2.0/24')));
  const answer = world.ask(put(alice, 10, prefixes('192.0.2.1/32')));
  if (answer.result !== 'refused') throw new Error('it was not refused');
  const response = errorResponse(answer.refusal);
  // {1: {2: [{17: {19: 1, 21: [{5: 11}] or {5: 11}}}]}}: conflict-information is there.
  expect(Buffer.from(response.payload).toString('hex')).toMatch(/^a101a10281a111a2/);
  expect(response.options).toHaveLength(1);
});

test('S-132 a lower unknown mid that does not overlap is accepted', () => {
  const world = new World();
  world.ask(put(alice, 11, prefixes('192.0.2.1/32')));
  expect(world.code(put(alice, 10, prefixes('198.51.100.1/32')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([10, 11]);
});

test.each([
  [5, 6],
  [6, 5],
])('S-137 preconfigured mid %d and immediate mid %d of one scope coexist', (waiting, immediate) => {
  for (const waitingFirst of [true, false]) {
    const world = new World();
    const puts = [
      put(alice, waiting, prefixes('192.0.2.0/24'), preconfigured),
      put(alice, immediate, prefixes('192.0.2.0/24')),
    ];
    if (!waitingFirst) puts.reverse();
    expect(puts.map((each) => world.code(each))).toEqual(['2.01', '2.01']);
    expect(world.record(alice, waiting)).toMatchObject({ status: 'signalLoss', desired: 'absent' });
    expect(world.record(alice, immediate)).toMatchObject({ status: 'inProgress', desired: 'present' });
  }
});

test('S-136 S-138 S-192 an immediate request deactivates an active preconfigured one: 7 four times, then 8', () => {
  const world = new World();
  world.ask(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured));
  world.ask(lost(alice));
  expect(world.record(alice, 5)).toMatchObject({ status: 'inProgress', desired: 'present' });
  expect(world.code(put(alice, 6, prefixes('192.0.2.1/32')))).toBe('2.01');
  const record = world.record(alice, 5);
  expect(record).toMatchObject({ status: 'signalLoss', desired: 'absent' });
  expect(record).not.toHaveProperty('startedAt');
  expect(record.notices).toEqual([
    { sequence: 1, status: 'withdrawn', repeat: 4, at: NOON },
    { sequence: 2, status: 'signalLoss', repeat: 1, at: NOON },
  ]);
  expect(world.listed(alice)).toEqual([5, 6]);
});

test('preconfigured requests are ordered among themselves as immediate ones are', () => {
  const world = new World();
  world.ask(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured));
  expect(world.code(put(alice, 4, prefixes('192.0.2.0/25'), preconfigured))).toBe('4.09');
  expect(world.code(put(alice, 6, prefixes('192.0.2.0/25'), preconfigured))).toBe('2.01');
  expect(world.listed(alice)).toEqual([6]);
});

test('A-219 S-154 S-156 a refresh sets the remaining lifetime anew: 2.04', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  world.now += 1000;
  const again = put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 600 });
  expect(world.ask(again)).toEqual({ result: 'changed', mid: 1, lifetimeSeconds: 600 });
  expect(world.record(alice, 1).expiresAt).toBe(NOON + 1600);
});

test.each([
  ['target-prefix', { targetPrefixes: ['192.0.2.2/32'] }],
  ['target-prefix', { targetPrefixes: ['192.0.2.1/32', '192.0.2.2/32'] }],
  ['target-port-range', { targetPortRanges: [] }],
  ['target-port-range', { targetPortRanges: [{ lowerPort: 80, upperPort: 81 }] }],
  ['target-protocol', { targetProtocols: [17] }],
  ['target-fqdn', { targetFqdns: ['demo.example'] }],
  ['target-uri', { targetUris: ['https://192.0.2.1/'] }],
  ['alias-name', { aliasNames: ['web'] }],
])('S-157 the same mid with another %s is 4.00 and changes nothing', (field, change) => {
  const world = new World();
  const scope = {
    ...prefixes('192.0.2.1/32'),
    targetPortRanges: [{ lowerPort: 80 }],
    targetProtocols: [6],
  };
  world.ask(put(alice, 1, scope));
  const before = world.record(alice, 1);
  const answer = world.ask(put(alice, 1, { ...scope, ...change }));
  expect(codeOf(answer)).toBe('4.00');
  expect(answer).toMatchObject({ refusal: { code: 'changed-parameters', field } });
  expect(world.record(alice, 1)).toBe(before);
});

test('S-157 the same mid with the other trigger-mitigation is 4.00', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32'), preconfigured))).toBe('4.00');
});

test('another order of the same parameters, or lower-port twice, is the same request', () => {
  const world = new World();
  const scope = { ...prefixes('192.0.2.1/32', '192.0.2.2/32'), targetPortRanges: [{ lowerPort: 80 }] };
  world.ask(put(alice, 1, scope));
  const again = {
    ...prefixes('192.0.2.2/32', '192.0.2.1/32'),
    targetPortRanges: [{ lowerPort: 80, upperPort: 80 }],
  };
  expect(world.code(put(alice, 1, again))).toBe('2.04');
  expect(world.record(alice, 1).scope).toEqual(scope);
});

test('a refresh needs no name and no alias again, but still the ownership', () => {
  const world = new World();
  world.resolved = new Map([['demo.example', ['192.0.2.7/32']]]);
  const command = put(alice, 1, scopeOf({ targetFqdns: ['demo.example'] }));
  world.ask(command);
  world.resolved = new Map();
  expect(world.code(command)).toBe('2.04');
  const domain = { ...world.view.domain, prefixes: ['198.51.100.0/24'] };
  world.view.update({ sv: world.view.sv, domain, mitigations: [], aliases: [] });
  expect(world.code(command)).toBe('4.00');
});

test('a mid that has run out is created again, whether or not it was swept', () => {
  for (const sweep of [true, false]) {
    const world = new World();
    world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 10 }));
    world.now += 10;
    if (sweep) world.pass(0);
    expect(world.code(put(alice, 1, prefixes('192.0.2.2/32')))).toBe('2.01');
    expect(world.record(alice, 1)).toMatchObject({ status: 'inProgress', startedAt: world.now });
  }
});

test('D9 after a rollover the client withdraws its old request, then starts from 0', () => {
  const world = new World();
  world.ask(put(alice, 3_221_225_471, prefixes('192.0.2.1/32')));
  expect(world.code(put(alice, 0, prefixes('192.0.2.1/32')))).toBe('4.09');
  world.ask(withdrawal(alice, 3_221_225_471));
  expect(world.code(put(alice, 0, prefixes('192.0.2.1/32')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([0]);
});
