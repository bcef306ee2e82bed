/** The alert driver: operators as the mitigator. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAlertMitigator } from '#adapters/mitigators/alert/alert.ts';
import { confirmOrder, type Orders, openOrders, refuseOrder } from '#adapters/mitigators/alert/orders.ts';
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { makePlanFor, openWorld } from '#test/support/mitigator-world.ts';
import { describeMitigator } from './mitigator-contract.ts';

let folder: string;
let orders: Orders;
let lines: { readonly event: string; readonly mid: number }[];
let driver: Mitigator;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'tocsin-alert-')), 'orders');
  orders = openOrders(folder);
  lines = [];
  driver = createAlertMitigator('alert', {
    orders,
    notify: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]),
  });
});

afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

describe('the contract', () => {
  describeMitigator(() => ({
    mitigator: driver,
    profile: 'divert',
    canList: true,
    confirm: async ({ key }) => {
      await confirmOrder(orders, key);
    },
  }));
});

test('A-052 an order pages once, is pending until an operator confirms it, and active from then on', async () => {
  const world = await openWorld([driver], [{ name: 'alert', profile: 'divert' }]);
  try {
    const mitigation = await world.commit({});
    const command = { ...mitigation, mitigator: 'alert' };
    // Three times soon, then the collector watches.
    const outcomes = [];
    for (let time = 0; time < 4; time++) outcomes.push(await world.app.handle(command));
    expect(outcomes).toEqual(
      [1, 2, 4].map((retryAfterSeconds) => ({ retryAfterSeconds })).concat('done' as never),
    );
    const status = async () => {
      const [watched] = await world.store.watched([mitigation]);
      return watched && visibleStatus(watched.mitigation, watched.reports, world.clock.epochSeconds()).status;
    };
    expect(await status()).toBe('inProgress');
    expect(lines).toMatchObject([{ event: 'mitigation.ensure', mid: 1, state: 'open' }]);
    await world.app.collect();
    expect(await status()).toBe('inProgress');
    // By another process.
    expect(await confirmOrder(openOrders(folder), mitigation)).toHaveLength(1);
    await world.app.collect();
    expect(await status()).toBe('mitigated');
    await world.ask({ desired: 'absent', generation: 2 });
    expect((await world.report())?.state).toBe('removed');
    expect(lines.map(({ event }) => event)).toEqual(['mitigation.ensure', 'mitigation.remove']);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    await world.close();
  }
});

test('a refusal by an operator is reported with its reason', async () => {
  const world = await openWorld([driver], [{ name: 'alert', profile: 'divert' }]);
  try {
    await world.ask({});
    const mitigation = await world.commit({});
    await refuseOrder(orders, mitigation, 'no capacity');
    await world.app.collect();
    const report = await world.report();
    expect(report).toMatchObject({ state: 'refused', reason: 'no capacity' });
    expect(
      visibleStatus(mitigation, report === undefined ? [] : [report], world.clock.epochSeconds()).status,
    ).toBe('exceededCapability');
  } finally {
    await world.close();
  }
});

test('the answer to an older generation does not count for a newer one', async () => {
  await driver.ensure(makePlanFor());
  await confirmOrder(orders, makePlanFor().key);
  const newer = makePlanFor({ generation: 2 });
  expect(await driver.collect(newer)).toBeUndefined();
  expect((await driver.ensure(newer)).state).toBe('pending');
  expect(lines).toHaveLength(2);
});

test('orders are for their owner alone, answers to unknown ones change nothing, damaged ones are named', async () => {
  await driver.ensure(makePlanFor());
  const [file = ''] = readdirSync(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  expect(await confirmOrder(orders, makePlanFor({ number: 9 }).key)).toEqual([]);
  expect((await orders.list()).map(({ state }) => state)).toEqual(['open']);
  writeFileSync(join(folder, file), '{');
  await expect(orders.list()).rejects.toThrow(file);
});

test('a cuid that looks like a path stays a name', async () => {
  const { key } = makePlanFor();
  const plan = makePlanFor({ key: { ...key, cuid: '../../../escaped' as typeof key.cuid } });
  await driver.ensure(plan);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(existsSync(join(folder, '..', 'escaped'))).toBe(false);
  expect((await driver.collect(plan))?.state).toBe('pending');
});
