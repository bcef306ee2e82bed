/** RFC 9132 §4.4.2.1: notifications of mitigations and of the configuration. */
import { OPTION } from '#core/coap/option-number.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import {
  CUID,
  codeOf,
  entriesOf,
  entryOf,
  mitigation,
  optionOf,
  scopeBody,
} from '#test/support/signal-asks.ts';
import type { SignalClient, Told } from '#test/support/signal-client.ts';
import { ALICE, BOB, SignalWorld } from '#test/support/signal-world.ts';

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open({ policy: { terminatingSeconds: 20 } });
});
afterEach(() => world.close());

async function observe(client: SignalClient, path: string, query?: string): Promise<number> {
  const exchange = client.send('get', path, { observe: 0, ...(query === undefined ? {} : { query }) });
  await world.settle();
  return exchange;
}

const statuses = (told: readonly Told[]): unknown[] =>
  told.map(({ response }) => (codeOf(response) === '2.05' ? entryOf(response).status : codeOf(response)));

const gaps = (told: readonly Told[]): number[] =>
  told.slice(1).map(({ at }, index) => at - (told[index]?.at ?? 0));

/** A client with one active mitigation that it observes. */
async function observing(): Promise<{ alice: SignalClient; exchange: number }> {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  return { alice, exchange: await observe(alice, mitigation(1)) };
}

test('S-193 Observe 0 is granted on mitigate and on config', async () => {
  const { alice } = await observing();
  for (const path of [mitigation(1), mitigation(), 'config']) {
    const [first] = alice.told(await observe(alice, path));
    expect(codeOf(first?.response)).toBe('2.05');
    expect(first?.response.options.some(({ number }) => number === OPTION.observe)).toBe(true);
  }
  const [refused] = alice.told(await observe(alice, mitigation(999)));
  expect(codeOf(refused?.response)).toBe('4.04');
  expect(refused?.response.options.some(({ number }) => number === OPTION.observe)).toBe(false);
});

test('S-047 S-196 each change of status is told, with growing Observe numbers, within seconds', async () => {
  const { alice, exchange } = await observing();
  for (const state of ['active', 'stopped'] as const) {
    await world.report(CUID, 1, { state });
    await world.advance(4);
  }
  const told = alice.told(exchange);
  expect(statuses(told)).toEqual(['inProgress', 'mitigated', 'stopped']);
  const numbers = told.map(({ response }) => optionOf(response, OPTION.observe) ?? 0);
  expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
  expect(new Set(numbers).size).toBe(3);
});

test('A-020 S-006 S-196 S-198 while a mitigation is active its status comes unasked, about every 15 seconds', async () => {
  const { alice, exchange } = await observing();
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(80);
  const told = alice.told(exchange).slice(1);
  expect(told.length).toBeGreaterThanOrEqual(5);
  for (const gap of gaps(told)) expect(gap).toBeGreaterThanOrEqual(15_000);
  for (const gap of gaps(told)) expect(gap).toBeLessThanOrEqual(18_500);
});

test('S-006 nothing is repeated for a mitigation that waits for the loss of the session', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32', { triggerMitigation: false }) });
  const exchange = await observe(alice, mitigation(1));
  await world.advance(60);
  expect(statuses(alice.told(exchange))).toEqual(['signalLoss']);
});

test('S-197 ten flips within three seconds cause at most two notifications, and the last state is told', async () => {
  const { alice, exchange } = await observing();
  for (let flip = 0; flip < 10; flip++) {
    await world.report(CUID, 1, { state: flip % 2 === 0 ? 'active' : 'stopped' });
    await world.advance(0.25);
  }
  const within = alice.told(exchange).length - 1;
  expect(within).toBeLessThanOrEqual(2);
  await world.advance(6);
  expect(statuses(alice.told(exchange)).at(-1)).toBe('stopped');
});

test('P-137 S-197 three seconds lie between any two notifications to a peer, however many mitigations it observes', async () => {
  const alice = await world.connect(ALICE);
  const exchanges: number[] = [];
  for (let mid = 1; mid <= 5; mid++) {
    await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
    exchanges.push(await observe(alice, mitigation(mid)));
  }
  for (let mid = 1; mid <= 5; mid++) await world.report(CUID, mid, { state: 'active' });
  await world.advance(60);
  const notifications = exchanges
    .flatMap((exchange) => alice.told(exchange).slice(1))
    .toSorted((left, right) => left.at - right.at);
  expect(notifications.length).toBeGreaterThanOrEqual(10);
  for (const gap of gaps(notifications)) expect(gap).toBeGreaterThanOrEqual(3_000);
  for (const exchange of exchanges) expect(statuses(alice.told(exchange)).at(-1)).toBe('mitigated');
});

test('S-195 in 48 hours with changes every notification is Non-confirmable', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32', { lifetimeSeconds: 400_000 }) });
  const exchange = await observe(alice, mitigation(1));
  for (let hour = 0; hour < 48; hour++) {
    world.skip(3_590);
    await world.report(CUID, 1, { state: hour % 2 === 0 ? 'active' : 'stopped' });
    await world.advance(10);
  }
  expect(alice.told(exchange).length).toBeGreaterThan(48);
  expect(new Set(alice.datagrams().map(({ type }) => type))).toEqual(new Set([1]));
}, 60_000);

test('S-205 a Reset ends the observation', async () => {
  const { alice, exchange } = await observing();
  alice.forget(exchange);
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(4);
  expect(world.server.stats().observers).toBe(0);
  const sent = world.server.stats().notifications;
  await world.report(CUID, 1, { state: 'stopped' });
  await world.advance(30);
  expect([sent, world.server.stats().notifications]).toEqual([1, 1]);
});

test('S-206 Observe 1 with the token of the registration ends it', async () => {
  const { alice, exchange } = await observing();
  alice.send('get', mitigation(1), { observe: 1 }, exchange);
  await world.settle();
  expect(world.server.stats().observers).toBe(0);
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(30);
  expect(world.server.stats().notifications).toBe(0);
});

test('P-125 S-187 S-208 S-237 withdrawal is told as 5, its end as 6 once, then NON 4.04, and then nothing', async () => {
  const { alice, exchange } = await observing();
  await alice.ask('delete', mitigation(1));
  await world.advance(60);
  const seen = statuses(alice.told(exchange));
  expect(seen.filter((status) => status === 'terminated')).toHaveLength(1);
  expect(seen.slice(-2)).toEqual(['terminated', '4.04']);
  expect(seen).toContain('activeButTerminating');
  expect(alice.datagrams().at(-1)).toMatchObject({ type: 1 });
  const count = seen.length;
  await world.advance(60);
  expect(alice.told(exchange)).toHaveLength(count);
  expect(world.server.stats().observers).toBe(0);
});

test('S-092 the end of the lifetime is told to observers', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32', { lifetimeSeconds: 10 }) });
  const exchange = await observe(alice, mitigation(1));
  await world.advance(20);
  expect(statuses(alice.told(exchange)).slice(-2)).toEqual(['terminated', '4.04']);
});

test('S-128 an override is told to the observer of the old mid, which then is gone', async () => {
  const { alice, exchange } = await observing();
  await alice.ask('put', mitigation(2), { payload: scopeBody() });
  await world.advance(10);
  expect(statuses(alice.told(exchange))).toEqual(['inProgress', 'terminated', '4.04']);
});

test('a list observer is shown status 6 once, then the list without the entry, and 4.04 when it is empty', async () => {
  const alice = await world.connect(ALICE);
  for (const mid of [1, 2])
    await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
  const exchange = await observe(alice, mitigation());
  await alice.ask('delete', mitigation(1));
  await world.advance(40);
  await alice.ask('delete', mitigation(2));
  await world.advance(40);
  const lists = alice
    .told(exchange)
    .map(({ response }) =>
      codeOf(response) === '2.05'
        ? entriesOf(response).map(({ mid, status }) => `${mid}:${String(status)}`)
        : codeOf(response),
    );
  const ended = lists.filter((list) => list.includes('1:terminated'));
  expect(ended).toEqual([['1:terminated', '2:inProgress']]);
  expect(lists[lists.indexOf(ended[0] ?? []) + 1]).toEqual(['2:inProgress']);
  expect(lists.slice(-2)).toEqual([['2:terminated'], '4.04']);
});

test('S-138 S-192 a preconfigured mitigation that has to yield is told 7 four times, then 8', async () => {
  const alice = await world.connect(ALICE);
  const preconfigured = scopeBody('192.0.2.1/32', { triggerMitigation: false });
  await alice.ask('put', mitigation(5), { payload: preconfigured });
  await world.request({
    type: 'signal-lost',
    requester: { identityId: ALICE, cuid: CUID, source: 'loss-of-signal' },
  });
  const exchange = await observe(alice, mitigation(5));
  await alice.ask('put', mitigation(6), { payload: scopeBody() });
  await world.advance(40);
  const told = alice.told(exchange);
  expect(statuses(told)).toEqual([
    'inProgress',
    'withdrawn',
    'withdrawn',
    'withdrawn',
    'withdrawn',
    'signalLoss',
  ]);
  for (const gap of gaps(told)) expect(gap).toBeGreaterThanOrEqual(3_000);
  expect(entryOf(told.at(-1)?.response ?? (await alice.answerTo('get', mitigation(5)))).mitigationStart).toBe(
    undefined,
  );
});

test('S-191 S-207 when the attack on an activated preconfigured mitigation has stopped, 3 is told four times, then 8', async () => {
  const alice = await world.connect(ALICE);
  const payload = scopeBody('192.0.2.1/32', { triggerMitigation: false });
  await alice.ask('put', mitigation(5), { payload });
  const requester = { identityId: ALICE, cuid: CUID, source: 'loss-of-signal' } as const;
  await world.request({ type: 'signal-lost', requester });
  await world.report(CUID, 5, { state: 'active' });
  const exchange = await observe(alice, mitigation(5));
  const { generation } = await world.stored(CUID, 5);
  await world.request({ type: 'attack-stopped', cuid: CUID, mid: 5 as Mid, generation });
  await world.advance(60);
  const told = alice.told(exchange);
  expect(statuses(told)).toEqual(['mitigated', 'stopped', 'stopped', 'stopped', 'stopped', 'signalLoss']);
  for (const gap of gaps(told)) expect(gap).toBeGreaterThanOrEqual(3_000);
  const [first, last] = [told.at(0), told.at(-1)].map((each) => each && entryOf(each.response));
  expect([first?.mitigationStart === undefined, last?.mitigationStart]).toEqual([false, undefined]);
});

test('A-229 S-200 S-201 S-148 the client whose mitigation is deactivated is told 7, why, and when to retry', async () => {
  await world.close();
  world = await SignalWorld.open({ policy: { conflictPolicy: 'replace-old' } });
  const { alice, exchange } = await observing();
  const bob = await world.connect(BOB);
  const other = mitigation(1, 'bobbobbobbobbobbobbobb');
  await bob.ask('put', other, { payload: scopeBody('192.0.2.0/24', { lifetimeSeconds: 1800 }) });
  const bobs = await observe(bob, other);
  await world.advance(4);
  const told = alice.told(exchange).at(-1)?.response;
  if (told === undefined) throw new Error('nothing told');
  expect(entryOf(told)).toMatchObject({
    status: 'withdrawn',
    conflict: { status: 'inactive', cause: 'overlappingTargets' },
  });
  expect(entryOf(told).conflict?.retryTimerSeconds).toBeGreaterThan(1790);
  expect(JSON.stringify(entryOf(told).conflict)).not.toContain('bob');
  const [bobTold] = bob.told(bobs);
  expect(bobTold && entryOf(bobTold.response).conflict?.retryTimerSeconds).toBe(undefined);
});

test('an observation may filter: c=n notifies of the state alone', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const exchange = await observe(alice, mitigation(1), 'c=n');
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(4);
  const last = alice.told(exchange).at(-1);
  expect(last && entryOf(last.response)).toMatchObject({
    status: 'mitigated',
    scope: { targetPrefixes: [] },
  });
});

test('A-055 an observer is never told of what another client owns', async () => {
  const { alice, exchange } = await observing();
  const bob = await world.connect(BOB);
  const [refused] = bob.told(await observe(bob, mitigation(1)));
  expect(codeOf(refused?.response)).toBe('4.04');
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(4);
  expect(statuses(alice.told(exchange)).at(-1)).toBe('mitigated');
  expect(world.server.stats().observers).toBe(1);
});

test('S-208 a session that ends takes its observations with it', async () => {
  const { alice } = await observing();
  alice.leave();
  await world.settle();
  expect(world.server.stats().observers).toBe(0);
});

test('a store that cannot be read for a while loses no notification', async () => {
  const { alice, exchange } = await observing();
  const watched = world.store.watched.bind(world.store);
  let failures = 0;
  world.store.watched = () => {
    failures++;
    return Promise.reject(new Error('disk'));
  };
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(8);
  expect(failures).toBeGreaterThan(0);
  expect(world.events.some(({ event }) => event === 'store-failed')).toBe(true);
  world.store.watched = watched;
  await world.advance(4);
  expect(statuses(alice.told(exchange))).toEqual(['inProgress', 'mitigated']);
});

test('a session that ends while its registration is read leaves no observation behind', async () => {
  const { alice } = await observing();
  alice.send('get', mitigation(1), { observe: 0 });
  alice.pair.deliver();
  alice.leave();
  await world.settle();
  expect(world.server.stats().observers).toBe(0);
});

test('a registration beyond what the endpoint keeps is answered without Observe and not kept', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  let last = 0;
  for (let count = 0; count < 65; count++) last = await observe(alice, mitigation(1));
  const [refused] = alice.told(last);
  expect(codeOf(refused?.response)).toBe('2.05');
  expect(refused?.response.options.some(({ number }) => number === OPTION.observe)).toBe(false);
  expect(world.server.stats().observers).toBe(64);
});

describe('on a store that tells nobody of its changes', () => {
  beforeEach(async () => {
    await world.close();
    world = await SignalWorld.open({ silentStore: true });
  });

  test('S-196 a change is seen within 3 seconds while a mitigation is under way', async () => {
    const { alice, exchange } = await observing();
    await world.report(CUID, 1, { state: 'active' });
    await world.advance(3.5);
    expect(statuses(alice.told(exchange))).toEqual(['inProgress', 'mitigated']);
  });

  test('S-196 and within 15 seconds while it waits', async () => {
    const alice = await world.connect(ALICE);
    const payload = scopeBody('192.0.2.1/32', { triggerMitigation: false });
    await alice.ask('put', mitigation(1), { payload });
    const exchange = await observe(alice, mitigation(1));
    await world.advance(4);
    await world.request({
      type: 'signal-lost',
      requester: { identityId: ALICE, cuid: CUID, source: 'loss-of-signal' },
    });
    await world.advance(15.5);
    expect(statuses(alice.told(exchange))).toEqual(['signalLoss', 'inProgress']);
  });

  test('S-196 what the client itself changes on a waiting one is told within 3 seconds', async () => {
    const alice = await world.connect(ALICE);
    const payload = scopeBody('192.0.2.1/32', { triggerMitigation: false });
    await alice.ask('put', mitigation(1), { payload });
    const exchange = await observe(alice, mitigation(1));
    await world.advance(4);
    await alice.ask('delete', mitigation(1));
    await world.advance(3.5);
    expect(statuses(alice.told(exchange))).toEqual(['signalLoss', '4.04']);
  });

  test('S-248 what the client itself asks for switches its session at once', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    expect(world.server.stats().sessions.mitigating).toBe(1);
  });

  test('S-248 what comes by another process switches it within 15 seconds', async () => {
    await world.connect(ALICE);
    await world.request({
      type: 'put',
      requester: { identityId: ALICE, cuid: CUID, source: 'operator' },
      mid: 1 as Mid,
      scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.1/32'] },
      lifetimeSeconds: 3600,
      triggerMitigation: true,
    });
    await world.advance(15.5);
    expect(world.server.stats().sessions.mitigating).toBe(1);
  });
});
