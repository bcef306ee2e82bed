/** Commands: what is reported, when it is tried again, and what must never reach a device. */
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import { STATUS_NUMBER } from '#core/model/status.ts';
import { type MitigatorWorld, openWorld } from '#test/support/mitigator-world.ts';
import { DEMO, keyOf, makeMitigation } from '#test/support/records.ts';
import { ScriptedMitigator } from '#test/support/scripted-mitigator.ts';

let driver: ScriptedMitigator;
let other: ScriptedMitigator;
let world: MitigatorWorld;

beforeEach(async () => {
  driver = new ScriptedMitigator('edge');
  other = new ScriptedMitigator('other');
  world = await openWorld(
    [driver, other],
    [
      { name: 'edge', profile: 'limit' },
      { name: 'other', profile: 'blackhole' },
    ],
    { driverTimeoutMs: 100 },
  );
});

afterEach(() => world.close());

/** As it goes out on the wire. */
async function status(): Promise<number> {
  const [watched] = await world.store.watched([keyOf(makeMitigation())]);
  if (watched === undefined) throw new Error('no record');
  return STATUS_NUMBER[visibleStatus(watched.mitigation, watched.reports, world.clock.epochSeconds()).status];
}

test('S-182 S-183 in progress until the mitigator confirms, then mitigated with its actual targets', async () => {
  await world.commit({});
  expect(await status()).toBe(1);
  expect(await world.ask({})).toBe('done');
  expect(await status()).toBe(2);
  expect((await world.report())?.actualTargets).toEqual(makeMitigation().targets);
});

test('the translated request goes to each mitigator of the domain, with its own profile', async () => {
  const mitigation = await world.commit({});
  await world.app.handle({ ...mitigation, mitigator: 'edge' });
  await world.app.handle({ ...mitigation, mitigator: 'other' });
  expect([...driver.device.values()].map(({ profile }) => profile)).toEqual(['limit']);
  expect([...other.device.values()].map(({ profile }) => profile)).toEqual(['blackhole']);
});

test('what is no longer wanted is taken away and reported removed', async () => {
  await world.ask({});
  expect(await world.ask({ desired: 'absent', generation: 2 })).toBe('done');
  expect(driver.device.size).toBe(0);
  expect(await world.report()).toMatchObject({ state: 'removed', generation: 2 });
});

test('what was never wanted costs no call to the device', async () => {
  expect(await world.ask({ desired: 'absent', triggerMitigation: false, status: 'signalLoss' })).toBe('done');
  expect(driver.calls).toEqual([]);
  expect((await world.report())?.state).toBe('removed');
});

test('an outdated command changes nothing: the newer one is on its way', async () => {
  const old = await world.commit({});
  await world.commit({ desired: 'absent', generation: 2 });
  expect(await world.app.handle({ ...old, mitigator: 'edge' })).toBe('done');
  expect(driver.calls).toEqual([]);
});

test('a withdrawal while the device works is not overwritten by the late report', async () => {
  driver.beforeEnsure = async () => {
    await world.commit({ desired: 'absent', generation: 2 });
    await world.store.putReport({
      ...keyOf(makeMitigation()),
      mitigator: 'edge',
      generation: 2,
      state: 'removed',
      actualTargets: [],
      updatedAt: 0,
    });
  };
  await world.ask({});
  expect(await world.report()).toMatchObject({ state: 'removed', generation: 2 });
});

test('targets that the domain does not own never reach the device, even from the store', async () => {
  expect(await world.ask({ targets: [{ prefix: '203.0.113.1/32', protocols: [], portRanges: [] }] })).toBe(
    'done',
  );
  expect(driver.calls).toEqual([]);
  expect(await world.report()).toMatchObject({
    state: 'refused',
    reason: "edge: 203.0.113.1/32 is not the domain's",
  });
});

test('S-185 when every mitigator has refused, the attack exceeds the capability', async () => {
  driver.state = 'refused';
  other.state = 'refused';
  const mitigation = await world.commit({});
  await world.app.handle({ ...mitigation, mitigator: 'edge' });
  await world.app.handle({ ...mitigation, mitigator: 'other' });
  expect(await status()).toBe(4);
});

test('a policy that forbids what is installed takes it away', async () => {
  await world.ask({});
  await world.setPolicy({ neverTouch: ['192.0.2.1/32'] });
  await world.app.collect();
  expect(driver.device.size).toBe(0);
  expect((await world.report())?.state).toBe('refused');
});

test('a pending device is asked again soon, then left to the collector', async () => {
  driver.state = 'pending';
  const mitigation = await world.commit({});
  const outcomes = [];
  for (let time = 0; time < 4; time++)
    outcomes.push(await world.app.handle({ ...mitigation, mitigator: 'edge' }));
  expect(outcomes).toEqual([
    { retryAfterSeconds: 1 },
    { retryAfterSeconds: 2 },
    { retryAfterSeconds: 4 },
    'done',
  ]);
  expect(await world.report()).toMatchObject({ state: 'pending', reason: 'so' });
});

test('a failing device is asked ever more slowly, failed after the fifth time, and recovers', async () => {
  driver.trouble = new Error('connection refused');
  const mitigation = await world.commit({});
  const command = { ...mitigation, mitigator: 'edge' };
  const states = [];
  const outcomes = [];
  for (let time = 0; time < 7; time++) {
    outcomes.push(await world.app.handle(command));
    states.push((await world.report())?.state);
  }
  expect(outcomes).toEqual([
    ...[1, 2, 4, 8, 16, 32].map((retryAfterSeconds) => ({ retryAfterSeconds })),
    'done',
  ]);
  expect(states).toEqual(['pending', 'pending', 'pending', 'pending', 'failed', 'failed', 'failed']);
  expect((await world.report())?.reason).toBe('connection refused');
  expect(await status()).toBe(4);
  driver.trouble = undefined;
  await world.app.collect();
  expect(await status()).toBe(2);
});

test('a removal that fails is not reported as done, and is made up for', async () => {
  await world.ask({});
  driver.trouble = new Error('down');
  expect(await world.ask({ desired: 'absent', generation: 2 })).toEqual({ retryAfterSeconds: 1 });
  expect((await world.report())?.state).toBe('active');
  driver.trouble = undefined;
  await world.app.collect();
  expect((await world.report())?.state).toBe('removed');
  expect(driver.device.size).toBe(0);
});

test('a hanging device is cut off and delays neither another client nor another device', async () => {
  driver.trouble = 'hangs';
  const mitigation = await world.commit({});
  const hanging = world.app.handle({ ...mitigation, mitigator: 'edge' });
  const started = performance.now();
  await world.app.handle({ ...mitigation, mitigator: 'other' });
  expect(performance.now() - started).toBeLessThan(100);
  driver.trouble = undefined;
  expect(await world.ask({ number: 2 })).toBe('done');
  expect(await hanging).toEqual({ retryAfterSeconds: 1 });
  expect((await world.report())?.reason).toBe('no answer within 0.1 s');
  expect(world.traces).toEqual([
    { type: 'driver-failed', mitigator: 'edge', call: 'ensure', reason: 'no answer within 0.1 s' },
  ]);
});

test('a mitigator that the configuration has lost is refused, and lets its records go', async () => {
  await world.setPolicy({ mitigators: [{ name: 'gone', profile: 'limit' }] });
  expect(await world.ask({}, 'gone')).toBe('done');
  expect((await world.report(1, 'gone'))?.state).toBe('refused');
  expect(await world.ask({ desired: 'absent', generation: 2 }, 'gone')).toBe('done');
  expect((await world.report(1, 'gone'))?.state).toBe('removed');
});

test('a record that is forgotten already settles its command', async () => {
  const mitigation = makeMitigation();
  expect(await world.app.handle({ ...mitigation, domainId: DEMO, mitigator: 'edge' })).toBe('done');
  expect(driver.calls).toEqual([]);
});
