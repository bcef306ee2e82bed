/** The nftables driver, with real packets between two network namespaces. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nftablesConfigSchema } from '#adapters/mitigators/nftables/config.ts';
import { createNftablesMitigator } from '#adapters/mitigators/nftables/nftables.ts';
import type { Counters } from '#core/model/mitigation.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { describeMitigator } from '#test/conformance/mitigators/mitigator-contract.ts';
import { eventually, makePlanFor, openWorld } from '#test/support/mitigator-world.ts';
import { type Hosts, makeHosts } from '#test/support/nftables-hosts.ts';

const run = promisify(execFile);

let hosts: Hosts;
let driver: Mitigator;

const driverWith = (settings: object): Mitigator =>
  createNftablesMitigator(
    'filter',
    nftablesConfigSchema.parse({ driver: 'nftables', netns: hosts.router, ...settings }),
  );

beforeAll(async () => {
  hosts = await makeHosts();
  driver = driverWith({});
}, 30_000);

afterAll(() => hosts.close());

afterEach(async () => {
  for (const number of [1, 2]) await driver.remove(makePlanFor({ number }));
  expect(await hosts.ruleset()).toBe('');
});

/** UDP and IP header. */
const HEADERS = 28;
const HEADERS_6 = 48;

describe('the contract', () => {
  describeMitigator(() => ({ mitigator: driver, profile: 'limit', canList: true, confirm: async () => {} }));
});

/** Packets that arrive while `work` runs. */
async function arriving(toPort: number, work: () => Promise<void>): Promise<number> {
  const before = await hosts.arrived(toPort);
  await work();
  return (await hosts.arrived(toPort)) - before;
}

async function counted(plan: Plan): Promise<Counters> {
  const nothing = { packetsDropped: 0n, bytesDropped: 0n };
  return eventually(
    async () => (await driver.collect(plan))?.counters ?? nothing,
    ({ packetsDropped }) => packetsDropped > 0n,
  );
}

test('reflected UDP is dropped and counted to the packet and the byte; everything else passes', async () => {
  const plan = makePlanFor({ profile: 'reflectors', generation: 1 });
  expect((await driver.ensure(plan)).state).toBe('active');
  const attack = { to: '192.0.2.1', fromPort: 123, toPort: 443, count: 300, bytes: 100 };
  expect(await arriving(443, () => hosts.send(attack))).toBe(0);
  // Other ports, and the same port to the neighbor of the target.
  expect(await arriving(443, () => hosts.send({ ...attack, fromPort: 40_000, count: 50 }))).toBe(50);
  expect(await arriving(443, () => hosts.send({ ...attack, to: '192.0.2.2', count: 20 }))).toBe(20);
  expect(await counted(plan)).toEqual({ packetsDropped: 300n, bytesDropped: 300n * BigInt(100 + HEADERS) });
});

test('fragments behind the first, which carry no port, are dropped too', async () => {
  const plan = makePlanFor({ profile: 'reflectors' });
  await driver.ensure(plan);
  await hosts.send({ to: '192.0.2.1', fromPort: 40_000, toPort: 443, count: 5, bytes: 4000 });
  // 4008 bytes of UDP over an MTU of 1500: three fragments, two of them without ports.
  expect((await counted(plan)).packetsDropped).toBe(10n);
});

test('IPv6 targets are filtered like IPv4 ones', async () => {
  const targets = [{ prefix: '2001:db8::1/128', protocols: [17], portRanges: [{ lowerPort: 443 }] }];
  const plan = makePlanFor({ profile: 'reflectors', targets });
  await driver.ensure(plan);
  const attack = { to: '2001:db8::1', fromPort: 1900, toPort: 443, count: 40, bytes: 60 };
  expect(await arriving(443, () => hosts.send(attack))).toBe(0);
  expect(await arriving(8080, () => hosts.send({ ...attack, toPort: 8080, count: 10 }))).toBe(10);
  expect(await counted(plan)).toEqual({ packetsDropped: 40n, bytesDropped: 40n * BigInt(60 + HEADERS_6) });
});

test('a limit lets its rate pass and drops the rest, for the ports that were named', async () => {
  const limited = driverWith({ packetsPerSecond: 50 });
  const plan = makePlanFor({
    profile: 'limit',
    targets: [
      { prefix: '192.0.2.1/32', protocols: [17], portRanges: [{ lowerPort: 8000, upperPort: 8100 }] },
    ],
  });
  await limited.ensure(plan);
  const flood = { to: '192.0.2.1', fromPort: 40_000, toPort: 8080, count: 1000, bytes: 100 };
  const passed = await arriving(8080, () => hosts.send(flood));
  expect(passed).toBeGreaterThan(0);
  expect(passed).toBeLessThan(200);
  const dropped = (
    await eventually(
      () => limited.collect(plan),
      (one) => (one?.counters?.packetsDropped ?? 0n) > 0n,
    )
  )?.counters?.packetsDropped;
  expect(dropped).toBe(1000n - BigInt(passed));
  expect(await arriving(443, () => hosts.send({ ...flood, toPort: 443, count: 100 }))).toBe(100);
});

test('a blackhole drops all to its target, and nothing to the others', async () => {
  await driver.ensure(makePlanFor({ profile: 'blackhole' }));
  const traffic = { to: '192.0.2.1', fromPort: 40_000, toPort: 53, count: 30, bytes: 10 };
  expect(await arriving(53, () => hosts.send(traffic))).toBe(0);
  expect(await arriving(53, () => hosts.send({ ...traffic, to: '192.0.2.2' }))).toBe(30);
});

test('of two mitigations of one target each works on when the other is gone, and the count goes on when one is ensured again', async () => {
  const first = makePlanFor({ number: 1, profile: 'reflectors' });
  const second = makePlanFor({ number: 2, profile: 'reflectors' });
  await driver.ensure(first);
  await driver.ensure(second);
  const attack = { to: '192.0.2.1', fromPort: 123, toPort: 443, count: 50, bytes: 100 };
  expect(await arriving(443, () => hosts.send(attack))).toBe(0);
  await driver.remove(first);
  await driver.ensure(second);
  expect(await arriving(443, () => hosts.send(attack))).toBe(0);
  // The first to match counts: 50 of the first round may be the other's.
  const { packetsDropped } = await counted(second);
  expect([50n, 100n]).toContain(packetsDropped);
  await driver.remove(second);
  expect(await arriving(443, () => hosts.send(attack))).toBe(50);
});

test('a rule whose lease is over lets traffic pass again, and is no longer claimed', async () => {
  const plan = makePlanFor({ leaseSeconds: 1 });
  await driver.ensure(plan);
  expect((await driver.collect(plan))?.leaseSeconds).toBeLessThanOrEqual(1);
  await eventually(
    () => driver.collect(plan),
    (collected) => collected === undefined,
  );
  const traffic = { to: '192.0.2.1', fromPort: 40_000, toPort: 53, count: 10, bytes: 10 };
  expect(await arriving(53, () => hosts.send(traffic))).toBe(10);
});

test('what is flushed by hand comes back with the next look, and totals go on', async () => {
  const world = await openWorld([driver], [{ name: 'filter', profile: 'reflectors' }]);
  try {
    const attack = { to: '192.0.2.1', fromPort: 123, toPort: 80, count: 100, bytes: 100 };
    expect(await world.ask({})).toBe('done');
    await hosts.send(attack);
    world.clock.advance(100);
    const look = () =>
      eventually(
        async () => {
          await world.app.collect();
          return world.report();
        },
        (report) => (report?.counters?.packetsDropped ?? 0n) > 0n,
      );
    expect(await look()).toMatchObject({
      state: 'active',
      counters: { packetsDropped: 100n, bytesDropped: 12_800n },
      packetsPerSecondDropped: 1n,
      bytesPerSecondDropped: 128n,
    });
    await run('ip', ['netns', 'exec', hosts.router, 'nft', 'delete table inet tocsin']);
    await eventually(
      async () => {
        await world.app.collect();
        return hosts.ruleset();
      },
      (ruleset) => ruleset.includes('jump'),
    );
    await hosts.send(attack);
    const after = await eventually(
      async () => {
        await world.app.collect();
        return world.report();
      },
      (report) => report?.counters?.packetsDropped === 200n,
    );
    expect(after?.state).toBe('active');
    expect(await world.ask({ desired: 'absent', generation: 2 })).toBe('done');
    expect(await world.report()).toMatchObject({ state: 'removed', counters: { packetsDropped: 200n } });
  } finally {
    await world.close();
  }
}, 20_000);

test('without the right to filter its health says what is missing', async () => {
  const elsewhere = createNftablesMitigator(
    'filter',
    nftablesConfigSchema.parse({ driver: 'nftables', netns: 'no-such-namespace' }),
  );
  expect(await elsewhere.health()).toMatchObject({ healthy: false });
  await expect(elsewhere.ensure(makePlanFor())).rejects.toThrow(/no-such-namespace/);
});
