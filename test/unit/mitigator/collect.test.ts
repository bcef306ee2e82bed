/** The look at every device: proof, counts, leases, and what nobody owns. */
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import { STATUS_NUMBER } from '#core/model/status.ts';
import { type MitigatorWorld, openWorld } from '#test/support/mitigator-world.ts';
import { DEMO, keyOf, makeMitigation } from '#test/support/records.ts';
import { ScriptedMitigator } from '#test/support/scripted-mitigator.ts';

let driver: ScriptedMitigator;
let world: MitigatorWorld;

beforeEach(async () => {
  driver = new ScriptedMitigator('edge', 'exact');
  world = await openWorld([driver], [{ name: 'edge', profile: 'limit' }], { driverTimeoutMs: 100 });
});

afterEach(() => world.close());

const dropped = (packets: number) => ({
  packetsDropped: BigInt(packets),
  bytesDropped: BigInt(packets * 100),
});

async function visible() {
  const [watched] = await world.store.watched([keyOf(makeMitigation())]);
  if (watched === undefined) throw new Error('no record');
  return visibleStatus(watched.mitigation, watched.reports, world.clock.epochSeconds());
}

test('A-054 A-213 S-179 S-180 S-181 what the device counts is what the client is told', async () => {
  await world.ask({ startedAt: world.clock.epochSeconds() });
  for (const perSecond of [10, 30])
    for (let second = 0; second < 300; second += 5) {
      world.clock.advance(5);
      const { packetsDropped = 0n } = driver.counters ?? {};
      driver.counters = dropped(Number(packetsDropped) + perSecond * 5);
      await world.app.collect();
    }
  expect(await visible()).toMatchObject({
    status: 'mitigated',
    pktsDropped: 12_000n,
    bytesDropped: 1_200_000n,
    ppsDropped: 20n,
    bpsDropped: 2_000n,
  });
});

test('A-054 totals never fall: not when the device restarts, not with a new generation', async () => {
  driver.counters = dropped(500);
  await world.ask({});
  await world.app.collect();
  driver.counters = dropped(20);
  await world.app.collect();
  expect((await visible()).pktsDropped).toBe(520n);
  await world.ask({ generation: 2 });
  driver.counters = dropped(30);
  await world.app.collect();
  expect((await visible()).pktsDropped).toBe(530n);
});

test('the last count before the rules go is kept; a mitigation that is triggered anew starts from nothing', async () => {
  driver.counters = dropped(10);
  await world.ask({});
  driver.counters = dropped(25);
  await world.ask({ desired: 'absent', generation: 2 });
  expect((await world.report())?.counters).toEqual(dropped(25));
  driver.counters = dropped(3);
  world.clock.advance(60);
  await world.ask({ generation: 3, startedAt: world.clock.epochSeconds() });
  await world.app.collect();
  expect((await visible()).pktsDropped).toBe(3n);
});

test('S-184 stopped when nothing was dropped for five minutes, and back when it goes on', async () => {
  driver.counters = dropped(10);
  await world.ask({});
  await world.app.collect();
  world.clock.advance(299);
  await world.app.collect();
  expect((await visible()).status).toBe('mitigated');
  world.clock.advance(1);
  await world.app.collect();
  expect(STATUS_NUMBER[(await visible()).status]).toBe(3);
  world.clock.advance(600);
  await world.app.collect();
  expect((await visible()).status).toBe('stopped');
  driver.counters = dropped(11);
  await world.app.collect();
  expect((await visible()).status).toBe('mitigated');
});

test('what the device has lost is brought back, in the same look', async () => {
  await world.ask({});
  driver.device.clear();
  await world.app.collect();
  expect(driver.device.size).toBe(1);
  expect((await visible()).status).toBe('mitigated');
});

test('without proof there is no claim: a device that cannot be asked makes it pending, and its recovery active', async () => {
  await world.ask({});
  driver.trouble = new Error('connection refused');
  await world.app.collect();
  expect(await world.report()).toMatchObject({
    state: 'pending',
    reason: 'cannot be asked: connection refused',
  });
  expect((await visible()).status).toBe('inProgress');
  driver.trouble = undefined;
  await world.app.collect();
  expect((await visible()).status).toBe('mitigated');
});

test('a device that is down is not asked for every mitigation, a hanging one is cut off', async () => {
  for (let number = 1; number <= 50; number++) await world.ask({ number });
  driver.calls.length = 0;
  driver.trouble = 'hangs';
  const started = performance.now();
  await world.app.collect();
  // 16 at a time, and no more once three of them have failed.
  expect(driver.calls.length).toBeLessThanOrEqual(19);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect((await world.report(50))?.state).toBe('pending');
});

test('a look at one device waits for no other, however that one hangs', async () => {
  const slow = new ScriptedMitigator('slow');
  const two = await openWorld(
    [driver, slow],
    [
      { name: 'edge', profile: 'limit' },
      { name: 'slow', profile: 'limit' },
    ],
    { driverTimeoutMs: 10_000 },
  );
  await two.ask({}, 'edge');
  await two.ask({}, 'slow');
  slow.calls.length = 0;
  slow.trouble = 'hangs';
  driver.trouble = new Error('connection refused');
  await two.app.collect('edge');
  expect((await two.report(1, 'edge'))?.state).toBe('pending');
  expect(slow.calls).toEqual([]);
  await two.close();
});

test('a lease is renewed when the lifetime was, and left alone otherwise', async () => {
  await world.ask({ expiresAt: world.clock.epochSeconds() + 1000 });
  driver.calls.length = 0;
  driver.leaseSeconds = 1100;
  await world.app.collect();
  expect(driver.calls).toEqual(['collect 1']);
  await world.commit({ expiresAt: world.clock.epochSeconds() + 3600 });
  await world.app.collect();
  expect(driver.calls).toEqual(['collect 1', 'collect 1', 'ensure 1']);
  expect([...driver.device.values()][0]?.leaseSeconds).toBe(3720);
});

test('a command that is still on its way is not needed: the record says what is wanted', async () => {
  await world.commit({});
  await world.app.collect();
  expect(driver.device.size).toBe(1);
  await world.commit({ desired: 'absent', generation: 2 });
  await world.app.collect();
  expect(driver.device.size).toBe(0);
  expect((await world.report())?.state).toBe('removed');
});

test('a mitigator that is taken out of the plan gives up what it holds', async () => {
  await world.ask({});
  await world.setPolicy({ mitigators: [] });
  await world.app.collect();
  expect(driver.device.size).toBe(0);
  expect((await world.report())?.state).toBe('removed');
});

test('nothing is written while nothing changes', async () => {
  await world.ask({});
  await world.app.collect();
  let writes = 0;
  const unsubscribe = world.store.subscribe(() => writes++);
  world.clock.advance(5);
  await world.app.collect();
  await world.app.collect();
  unsubscribe();
  expect(writes).toBe(0);
});

test('reconciling takes away what nobody owns, in one pass and with an audit, and keeps what is owned', async () => {
  await world.ask({});
  const [[, plan] = []] = [...driver.device];
  if (plan === undefined) throw new Error('nothing installed');
  const stray = { ...plan, targets: [{ prefix: '192.0.2.66/32', protocols: [], portRanges: [] }] };
  driver.device.set('stray', stray);
  await world.app.reconcile();
  expect([...driver.device.keys()]).toEqual([driver.keyOf(plan)]);
  expect(await world.store.audit(DEMO, 1)).toMatchObject([
    { actor: 'reconciler', action: 'stray-removed', detail: { mitigator: 'edge', key: 'stray' } },
  ]);
  expect(world.traces).toEqual([
    { type: 'stray-removed', mitigator: 'edge', key: 'stray', prefix: '192.0.2.66/32' },
  ]);
});

test('a mitigation that is committed while devices are being listed is no stray', async () => {
  await world.ask({});
  const list = driver.list.bind(driver);
  driver.list = async function* () {
    yield* list();
    await world.ask({ number: 2 });
  };
  await world.app.reconcile();
  expect(driver.device.size).toBe(2);
});

test('what a look is just bringing back is not left behind by a withdrawal that comes meanwhile', async () => {
  await world.ask({});
  driver.device.clear();
  let install = (): void => undefined;
  const ensuring = new Promise<void>((begun) => {
    driver.beforeEnsure = () => {
      begun();
      return new Promise((resolve) => {
        install = resolve;
      });
    };
  });
  const look = world.app.collect();
  await ensuring;
  const withdrawal = world.ask({ desired: 'absent', generation: 2 });
  // Time enough to overtake, were it not for the lock; less than the driver has.
  await new Promise((resolve) => setTimeout(resolve, 30));
  install();
  await Promise.all([look, withdrawal]);
  expect(driver.device.size).toBe(0);
  expect((await world.report())?.state).toBe('removed');
});
