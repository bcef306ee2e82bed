/** RFC 9132 §4.4.1.1, Building Mitigation Requests: what the server makes of a PUT that is well formed. */
import { remainingLifetime } from '#core/mitigation/lifetime.ts';
import type { Alias } from '#core/model/alias.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { codeOf, NOON, prefixes, put, requester, scopeOf, World } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');

test('A-037 A-044 A-047 A-190 S-045 S-075 S-434 a prefix outside of the domain is 4.00 and nothing is written', () => {
  const world = new World();
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32')))).toBe('2.01');
  for (const foreign of ['203.0.113.1/32', '192.0.0.0/16', '0.0.0.0/0', '2001:db9::/64', '2001::/16']) {
    expect(world.code(put(alice, 2, prefixes(foreign)))).toBe('4.00');
    expect(world.last?.writes).toEqual([]);
  }
});

test('S-435 own and foreign prefixes together are refused as a whole', () => {
  const world = new World();
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32', '203.0.113.1/32')))).toBe('4.00');
  expect(world.last?.writes).toEqual([]);
  expect(world.view.liveCount).toBe(0);
});

test.each([
  '255.255.255.255/32',
  '127.0.0.1/32',
  '127.0.0.0/8',
  '::1/128',
  '224.0.0.1/32',
  '224.0.0.0/4',
  'ff02::1/128',
  '::ffff:127.0.0.1/128',
])('S-074 %s is broadcast, loopback or multicast: 4.00', (forbidden) => {
  const world = new World();
  const answer = world.ask(put(alice, 1, prefixes(forbidden)));
  expect(codeOf(answer)).toBe('4.00');
  expect(answer).toMatchObject({ refusal: { code: 'invalid', field: 'target-prefix' } });
});

test('a prefix that the domain owns in two pieces is its own', () => {
  const world = new World();
  const domain = { ...world.view.domain, prefixes: ['192.0.2.0/25', '192.0.2.128/25'] };
  world.view.update({ sv: 0, domain, mitigations: [], aliases: [] });
  expect(world.code(put(alice, 1, prefixes('192.0.2.0/24')))).toBe('2.01');
  expect(world.code(put(alice, 2, prefixes('192.0.2.0/23')))).toBe('4.00');
});

test('addresses that the provider never touches are 4.00, also inside a wider prefix', () => {
  const world = new World({ neverTouch: ['192.0.2.53/32'] });
  expect(world.code(put(alice, 1, prefixes('192.0.2.53/32')))).toBe('4.00');
  expect(world.code(put(alice, 1, prefixes('192.0.2.0/24')))).toBe('4.00');
  expect(world.code(put(alice, 1, prefixes('192.0.2.54/32')))).toBe('2.01');
});

test('S-069 host bits make no other target: the same PUT without them is a refresh', () => {
  const world = new World();
  expect(world.code(put(alice, 1, prefixes('192.0.2.77/24')))).toBe('2.01');
  expect(world.code(put(alice, 1, prefixes('192.0.2.0/24')))).toBe('2.04');
  expect(world.record(alice, 1).targets).toEqual([{ prefix: '192.0.2.0/24', protocols: [], portRanges: [] }]);
  expect(world.code(put(alice, 2, prefixes('192.0.2.0/24')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([2]);
});

test('S-070 mid 0 is a mid', () => {
  const world = new World();
  expect(world.code(put(alice, 0, prefixes('192.0.2.1/32')))).toBe('2.01');
  expect(world.listed(alice)).toEqual([0]);
});

test('S-055 a cuid of 36 characters is accepted', () => {
  const world = new World();
  const uuid = requester('5e0c2a49-8b9c-4a4f-9a0e-1d3a2b4c5d6e');
  expect(world.code(put(uuid, 1, prefixes('192.0.2.1/32')))).toBe('2.01');
});

test('S-076 S-079 ports and protocols reach the target as they were asked', () => {
  const world = new World();
  const ports = [{ lowerPort: 80 }, { lowerPort: 1024, upperPort: 49_151 }];
  const scope = scopeOf({
    targetPrefixes: ['192.0.2.1/32'],
    targetPortRanges: ports,
    targetProtocols: [6, 17, 33, 132],
  });
  expect(world.code(put(alice, 1, scope))).toBe('2.01');
  expect(world.record(alice, 1).targets).toEqual([
    { prefix: '192.0.2.1/32', protocols: [6, 17, 33, 132], portRanges: ports },
  ]);
  expect(world.record(alice, 1).scope).toEqual(scope);
});

test('A-047 A-154 A-190 S-081 every address of a name is checked as a prefix is', () => {
  const world = new World();
  const ask = (addresses: readonly string[]): string => {
    world.resolved = new Map([['www.demo.example', addresses]]);
    return world.code(put(alice, 1, scopeOf({ targetFqdns: ['WWW.demo.example.'] })));
  };
  expect(ask(['127.0.0.1/32'])).toBe('4.00');
  expect(ask(['192.0.2.7/32', '203.0.113.7/32'])).toBe('4.00');
  expect(ask([])).toBe('4.00');
  expect(world.view.liveCount).toBe(0);
  expect(ask(['192.0.2.7/32', '2001:db8::7/128'])).toBe('2.01');
});

test('A-223 S-084 the addresses that the server resolves are the scope', () => {
  const world = new World();
  world.resolved = new Map([['demo.example', ['192.0.2.7/32', '2001:db8::7/128']]]);
  world.ask(put(alice, 1, scopeOf({ targetFqdns: ['demo.example'] })));
  expect(world.record(alice, 1).targets.map((target) => target.prefix)).toEqual([
    '192.0.2.7/32',
    '2001:db8::7/128',
  ]);
});

test('A-047 A-190 S-082 a URI whose host is not the domain’s, or resolves to what is not, is 4.00', () => {
  const world = new World();
  world.resolved = new Map([
    ['localhost', ['127.0.0.1/32']],
    ['www.other.example', ['192.0.2.7/32']],
    ['demo.example', ['203.0.113.9/32']],
    ['xdemo.example', ['192.0.2.7/32']],
  ]);
  for (const uri of [
    'https://localhost/',
    'https://www.other.example/',
    'https://demo.example/',
    'https://xdemo.example/',
    'https://demo.example@localhost/',
    'https://203.0.113.9/',
    'https://[2001:db9::1]/',
    'demo.example',
    'https:///',
    'https://demo.example:0/',
    'https://demo.example:65536/',
    'https://192.0.2.300/',
  ]) {
    expect([uri, world.code(put(alice, 1, scopeOf({ targetUris: [uri] })))]).toEqual([uri, '4.00']);
  }
  expect(world.view.liveCount).toBe(0);
});

test.each([
  ['https://www.demo.example/', [6], [{ lowerPort: 443 }]],
  ['http://www.demo.example:8080/a?b#c', [6], [{ lowerPort: 8080 }]],
  ['HTTP://www.Demo.example.', [6], [{ lowerPort: 80 }]],
  ['coaps://www.demo.example', [17], [{ lowerPort: 5684 }]],
  ['coap+tcp://www.demo.example', [6], [{ lowerPort: 5683 }]],
  ['game://www.demo.example:27015/', [], [{ lowerPort: 27_015 }]],
  ['game://www.demo.example/', [], []],
  ['https://192.0.2.7/', [6], [{ lowerPort: 443 }]],
])('S-083 %s is its addresses, its scheme’s protocol and its port', (uri, protocols, portRanges) => {
  const world = new World();
  world.resolved = new Map([['www.demo.example', ['192.0.2.7/32']]]);
  expect(world.code(put(alice, 1, scopeOf({ targetUris: [uri] })))).toBe('2.01');
  expect(world.record(alice, 1).targets).toEqual([{ prefix: '192.0.2.7/32', protocols, portRanges }]);
});

test('a URI beside a prefix narrows only its own target', () => {
  const world = new World();
  const scope = scopeOf({ targetPrefixes: ['192.0.2.1/32'], targetUris: ['https://192.0.2.2/'] });
  world.ask(put(alice, 1, scope));
  expect(world.record(alice, 1).targets).toEqual([
    { prefix: '192.0.2.1/32', protocols: [], portRanges: [] },
    { prefix: '192.0.2.2/32', protocols: [6], portRanges: [{ lowerPort: 443 }] },
  ]);
});

const alias = (name: string, cuid = 'alice', expiresAt?: number): Alias => ({
  domainId: 'demo' as DomainId,
  cuid: requester(cuid).cuid,
  name,
  scope: scopeOf({ targetPrefixes: ['192.0.2.1/32'], targetPortRanges: [{ lowerPort: 80 }] }),
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

test('S-085 an alias that the client made stands for its targets', () => {
  const world = new World({}, [alias('web')]);
  expect(world.code(put(alice, 1, scopeOf({ aliasNames: ['web'] })))).toBe('2.01');
  expect(world.record(alice, 1).targets).toEqual([
    { prefix: '192.0.2.1/32', protocols: [], portRanges: [{ lowerPort: 80 }] },
  ]);
});

test('A-190 S-118 an alias that is unknown, run out or another client’s is 4.00', () => {
  const world = new World({}, [alias('web', 'bob'), alias('old', 'alice', NOON)]);
  for (const name of ['nope', 'web', 'old']) {
    expect(world.code(put(alice, 1, scopeOf({ aliasNames: [name] })))).toBe('4.00');
  }
  expect(world.view.liveCount).toBe(0);
});

test('S-120 alias and targets are united, attribute by attribute', () => {
  const world = new World({}, [alias('web')]);
  const scope = scopeOf({
    aliasNames: ['web'],
    targetPrefixes: ['192.0.2.2/32'],
    targetPortRanges: [{ lowerPort: 443 }],
  });
  world.ask(put(alice, 1, scope));
  const portRanges = [{ lowerPort: 443 }, { lowerPort: 80 }];
  expect(world.record(alice, 1).targets).toEqual([
    { prefix: '192.0.2.2/32', protocols: [], portRanges },
    { prefix: '192.0.2.1/32', protocols: [], portRanges },
  ]);
});

test('S-088 an unlimited lifetime is granted where policy allows it', () => {
  const world = new World();
  expect(world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: -1 }))).toMatchObject({
    result: 'created',
    lifetimeSeconds: -1,
  });
  world.pass(10 * 365 * 86_400);
  expect(world.listed(alice)).toEqual([1]);
  expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(-1);
});

test('S-089 S-091 the lifetime that policy grants is answered, and counts down', () => {
  const world = new World({ maxLifetimeSeconds: 7200 });
  const asked = (lifetimeSeconds: number): unknown =>
    world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds }));
  expect(asked(-1)).toMatchObject({ result: 'created', lifetimeSeconds: 7200 });
  expect(asked(9000)).toMatchObject({ result: 'changed', lifetimeSeconds: 7200 });
  expect(asked(3600)).toMatchObject({ result: 'changed', lifetimeSeconds: 3600 });
  world.pass(10);
  expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(3590);
});

test('A-023 S-007 S-092 a request that is not refreshed is removed at the end of its lifetime', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 30 }));
  world.pass(29);
  expect(world.listed(alice)).toEqual([1]);
  world.now += 1;
  expect(world.listed(alice)).toEqual([]);
  world.pass(0);
  expect(world.record(alice, 1)).toMatchObject({
    status: 'terminated',
    desired: 'absent',
    removedAt: NOON + 30,
    notices: [{ status: 'terminated', repeat: 1 }],
  });
});

test('S-094 S-189 a preconfigured request waits with status 8, nothing is started', () => {
  const world = new World();
  expect(world.code(put(alice, 1, prefixes('192.0.2.1/32'), { triggerMitigation: false }))).toBe('2.01');
  const record = world.record(alice, 1);
  expect(record).toMatchObject({ status: 'signalLoss', desired: 'absent', generation: 0 });
  expect(record).not.toHaveProperty('startedAt');
});

test('S-176 mitigation-start is when it was asked for, also after a refresh', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  world.now += 100;
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  expect(world.record(alice, 1).startedAt).toBe(NOON);
});
