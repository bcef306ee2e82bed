/** The gobgp driver against two real daemons. */
import { gobgpConfigSchema } from '#adapters/mitigators/gobgp/config.ts';
import { createGobgpMitigator } from '#adapters/mitigators/gobgp/gobgp.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { describeMitigator } from '#test/conformance/mitigators/mitigator-contract.ts';
import { type GobgpPair, makeGobgpPair } from '#test/support/gobgp-pair.ts';
import { eventually, makePlanFor, openWorld } from '#test/support/mitigator-world.ts';
import { makeMitigation } from '#test/support/records.ts';

let pair: GobgpPair;
let driver: Mitigator;

beforeAll(async () => {
  pair = await makeGobgpPair();
  await Promise.all([pair.startLocal(), pair.startNeighbor()]);
  driver = createGobgpMitigator(
    'edge',
    gobgpConfigSchema.parse({
      driver: 'gobgp',
      address: pair.address,
      nextHop: '192.0.2.254',
      bytesPerSecond: 125_000,
      divertTo: '65001:666',
    }),
  );
  await eventually(
    () => driver.health(),
    ({ healthy }) => healthy,
    20_000,
  );
}, 40_000);

afterAll(async () => {
  // The daemons first: they must not outlive a suite that failed early.
  await pair.close();
  await driver.close();
});

const seen = (table: Parameters<GobgpPair['seen']>[0]) => (): Promise<string> => pair.seen(table);

describe('the contract, with blackhole routes', () => {
  describeMitigator(() => ({
    mitigator: driver,
    profile: 'blackhole',
    canList: true,
    confirm: async () => {},
  }));
});

describe('the contract, with FlowSpec', () => {
  describeMitigator(() => ({ mitigator: driver, profile: 'limit', canList: true, confirm: async () => {} }));
});

const WEB = {
  prefix: '192.0.2.1/32',
  protocols: [6, 17],
  portRanges: [{ lowerPort: 80 }, { lowerPort: 8000, upperPort: 8100 }],
};
const SIX = { prefix: '2001:db8::1/128', protocols: [], portRanges: [] };

test('A-035 a blackhole reaches the neighbor with BLACKHOLE and NO_EXPORT, for every port, and is withdrawn', async () => {
  const plan = makePlanFor({ targets: [WEB, SIX] });
  const result = await driver.ensure(plan);
  expect(result.state).toBe('active');
  expect(result.actualTargets).toEqual([
    { prefix: '192.0.2.1/32', protocols: [], portRanges: [] },
    { prefix: '2001:db8::1/128', protocols: [], portRanges: [] },
  ]);
  const four = await eventually(seen('ipv4'), (text) => text.includes('192.0.2.1/32'));
  expect(four).toMatch(/192\.0\.2\.1\/32 .*\{Communities: blackhole, no-export\}/);
  expect(four).toMatch(new RegExp(`LargeCommunity: \\[ ?65001:\\d+:${plan.key.mid}\\]`));
  const six = await eventually(seen('ipv6'), (text) => text.includes('2001:db8::1/128'));
  expect(six).toMatch(/2001:db8::1\/128 .*\{Communities: blackhole, no-export\}/);
  await driver.remove(plan);
  await eventually(seen('ipv4'), (text) => !text.includes('192.0.2.1/32'));
  await eventually(seen('ipv6'), (text) => !text.includes('2001:db8::1/128'));
});

test('A-035 FlowSpec reaches the neighbor: rate in bytes per second, ports, protocols', async () => {
  const plan = makePlanFor({ profile: 'limit', targets: [WEB, SIX] });
  expect((await driver.ensure(plan)).state).toBe('active');
  const four = await eventually(seen('ipv4-flowspec'), (text) => text.includes('192.0.2.1/32'));
  expect(four).toContain(
    '[destination: 192.0.2.1/32][protocol: ==tcp ==udp][destination-port: ==80 >=8000&<=8100]',
  );
  expect(four).toContain('[rate: 125000.000000]');
  const six = await eventually(seen('ipv6-flowspec'), (text) => text.includes('2001:db8::1/128'));
  expect(six).toContain('[rate: 125000.000000]');
  await driver.remove(plan);
  await eventually(seen('ipv4-flowspec'), (text) => !text.includes('192.0.2.1/32'));
});

test('reflected UDP is discarded by source port, and its later fragments', async () => {
  const plan = makePlanFor({ profile: 'reflectors' });
  expect((await driver.ensure(plan)).state).toBe('active');
  const rules = await eventually(seen('ipv4-flowspec'), (text) => text.includes('fragment'));
  expect(rules).toMatch(
    /\[destination: 192\.0\.2\.1\/32\]\[protocol: ==udp\]\[source-port: ==0 ==19 .* ==11211\]/,
  );
  expect(rules).toContain('[destination: 192.0.2.1/32][protocol: ==udp][fragment: is-fragment]');
  expect(rules.match(/\[discard\]/g)).toHaveLength(2);
  await driver.remove(plan);
});

test('diverted traffic carries the route target of the scrubber', async () => {
  const plan = makePlanFor({ profile: 'divert' });
  expect((await driver.ensure(plan)).state).toBe('active');
  const rules = await eventually(seen('ipv4-flowspec'), (text) => text.includes('192.0.2.1/32'));
  expect(rules).toContain('[redirect: 65001:666]');
  await driver.remove(plan);
});

test('two mitigations of one prefix: the route stays until the last of them is gone', async () => {
  const first = makePlanFor({ number: 1 });
  const second = makePlanFor({ number: 2 });
  await driver.ensure(first);
  await driver.ensure(second);
  await eventually(seen('ipv4'), (text) => text.includes('192.0.2.1/32'));
  // Whichever GoBGP holds for the best: both orders.
  await driver.remove(second);
  await eventually(seen('ipv4'), (text) => new RegExp(`192\\.0\\.2\\.1/32.*:${first.key.mid}\\]`).test(text));
  await driver.ensure(second);
  await driver.remove(first);
  await eventually(seen('ipv4'), (text) =>
    new RegExp(`192\\.0\\.2\\.1/32.*:${second.key.mid}\\]`).test(text),
  );
  expect((await driver.collect(second))?.state).toBe('active');
  await driver.remove(second);
  await eventually(seen('ipv4'), (text) => !text.includes('192.0.2.1/32'));
});

test('never active without an established neighbor, active again when it is back', async () => {
  const plan = makePlanFor();
  await pair.stopNeighbor();
  await eventually(
    () => driver.health(),
    ({ healthy }) => !healthy,
  );
  const result = await driver.ensure(plan);
  expect(result).toMatchObject({ state: 'pending', reason: 'no BGP neighbor has an established session' });
  await pair.startNeighbor();
  await eventually(
    () => driver.collect(plan),
    (collected) => collected?.state === 'active',
    20_000,
  );
  expect(await pair.seen('ipv4')).toContain('192.0.2.1/32');
  await driver.remove(plan);
}, 40_000);

test('after a restart of gobgpd the routes are announced again within 10 s, and are not active meanwhile', async () => {
  const world = await openWorld([driver], [{ name: 'edge', profile: 'blackhole' }]);
  try {
    expect(await world.ask({})).toBe('done');
    expect((await world.report())?.state).toBe('active');
    await pair.stopLocal();
    const downReport = await eventually(
      async () => {
        await world.app.collect();
        return world.report();
      },
      (report) => report?.state !== 'active',
    );
    expect(downReport?.state).toBe('pending');
    expect(downReport?.reason).toContain('UNAVAILABLE');
    await eventually(seen('ipv4'), (text) => !text.includes('192.0.2.1/32'));
    await pair.startLocal();
    const restarted = performance.now();
    await eventually(
      async () => {
        await world.app.reconcile();
        return (await world.report())?.state;
      },
      (state) => state === 'active',
    );
    expect(performance.now() - restarted).toBeLessThan(10_000);
    expect(await eventually(seen('ipv4'), (text) => text.includes('192.0.2.1/32'))).toContain('blackhole');
    expect(await world.ask({ desired: 'absent', generation: 2 })).toBe('done');
    expect((await world.report())?.state).toBe('removed');
    await eventually(seen('ipv4'), (text) => !text.includes('192.0.2.1/32'));
  } finally {
    await world.close();
  }
}, 40_000);

test('a route of ours that nobody owns is withdrawn and audited; what others announce is left alone', async () => {
  const world = await openWorld([driver], [{ name: 'edge', profile: 'blackhole' }]);
  try {
    await world.ask({});
    await driver.ensure(makePlanFor({ number: 99, targets: [{ ...SIX, prefix: '192.0.2.99/32' }] }));
    await eventually(seen('ipv4'), (text) => text.includes('192.0.2.99/32'));
    await world.app.reconcile();
    await eventually(seen('ipv4'), (text) => !text.includes('192.0.2.99/32'));
    expect(await pair.seen('ipv4')).toContain('192.0.2.1/32');
    const [entry] = await world.store.audit(makeMitigation().domainId, 1);
    expect(entry).toMatchObject({ action: 'stray-removed', detail: { prefix: '192.0.2.99/32' } });
    await world.ask({ desired: 'absent', generation: 2 });
  } finally {
    await world.close();
  }
}, 20_000);
