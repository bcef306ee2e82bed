/** RFC 8811, RFC 8612 and RFC 8903 over the time of a session: signs of life, silence, and a mitigation from beginning to end. */
import { METHOD } from '#core/coap/code.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { Status } from '#core/model/status.ts';
import { encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { encodeMitigationRequest } from '#core/signal/mitigation-codec.ts';
import { ClientWorld } from '#test/support/client-world.ts';
import { CUID, codeOf, entriesOf, entryOf, mitigation, scopeBody } from '#test/support/signal-asks.ts';
import { ALICE, SignalWorld } from '#test/support/signal-world.ts';

const INTERVAL_SECONDS = 30;
/** As the defaults have it: 15 intervals of 30 seconds. */
const SILENCE_SECONDS = 450;

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

const HEARTBEAT = encodeHeartbeat({ peerHbStatus: true });

test('A-204 signs of life go both ways while nothing is mitigated, and a notification comes without a request', async () => {
  const alice = await world.connect(ALICE);
  const answered: string[] = [];
  for (let beat = 0; beat < 4; beat++) {
    answered.push(codeOf(await alice.ask('put', 'hb', { payload: HEARTBEAT })));
    await world.advance(INTERVAL_SECONDS);
  }
  expect(answered).toEqual(['2.04', '2.04', '2.04', '2.04']);
  expect(alice.heartbeats.length).toBeGreaterThanOrEqual(3);

  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const observed = alice.send('get', mitigation(1), { observe: 0 });
  await world.settle();
  await world.report(CUID, 1, { state: 'active' });
  await world.advance(4);
  expect(alice.told(observed).map(({ response }) => entryOf(response).status)).toEqual([
    'inProgress',
    'mitigated',
  ]);
});

test('A-101 by default each end takes the other for lost after about 450 seconds of silence, not earlier', async () => {
  const alice = await world.connect(ALICE);
  const payload = scopeBody('192.0.2.1/32', { triggerMitigation: false, lifetimeSeconds: 7200 });
  await alice.ask('put', mitigation(1), { payload });
  await alice.ask('put', 'hb', { payload: HEARTBEAT });
  alice.pair.lost = { toServer: true, toClient: true };
  await world.advance(SILENCE_SECONDS - INTERVAL_SECONDS);
  expect((await world.stored(CUID, 1)).status).toBe('signalLoss');
  await world.advance(2 * INTERVAL_SECONDS + 5);
  expect((await world.stored(CUID, 1)).status).toBe('inProgress');

  const client = new ClientWorld();
  await client.run((SILENCE_SECONDS + 3 * INTERVAL_SECONDS) * 1000);
  const [silentAt = 0] = client.silences;
  expect(Math.abs(silentAt / 1000 - SILENCE_SECONDS)).toBeLessThanOrEqual(INTERVAL_SECONDS + 1);
}, 30_000);

test('A-208 while a mitigation is active, missing answers end neither the session nor the heartbeats', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32', { lifetimeSeconds: 7200 }) });
  alice.pair.lost = { toServer: false, toClient: true };
  const sentBefore = alice.datagrams().length;
  for (let beat = 0; beat < 30; beat++) {
    alice.send('put', 'hb', { payload: HEARTBEAT });
    await world.advance(INTERVAL_SECONDS);
  }
  const heartbeats = alice
    .datagrams()
    .slice(sentBefore)
    .filter(({ code }) => code === METHOD.put);
  expect(heartbeats.length).toBeGreaterThanOrEqual(29);
  expect(alice.closed).toBe(undefined);
  alice.pair.lost = { toServer: false, toClient: false };
  expect(entryOf(await alice.answerTo('get', mitigation(1))).status).toBe('inProgress');
}, 30_000);

test('A-247 a mitigation from the request to its confirmed end: 1, 2 with counts, 3, withdrawn, 5, 6', async () => {
  const alice = await world.connect(ALICE);
  const payload = encodeMitigationRequest({
    scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.7/32'], targetProtocols: [17] },
    lifetimeSeconds: 3600,
    triggerMitigation: true,
  });
  expect(codeOf(await alice.ask('put', mitigation(1), { payload }))).toBe('2.01');
  const observed = alice.send('get', mitigation(1), { observe: 0 });
  await world.advance(4);
  await world.report(CUID, 1, {
    state: 'active',
    counters: { bytesDropped: 5000n, packetsDropped: 50n },
  });
  await world.advance(20);
  await world.report(CUID, 1, { state: 'stopped' });
  await world.advance(4);
  expect(codeOf(await alice.ask('delete', mitigation(1)))).toBe('2.02');
  await world.advance(130);

  const told = alice.told(observed).map(({ response }) => response);
  const entries = told.filter((response) => codeOf(response) === '2.05').flatMap(entriesOf);
  const statuses = entries.map(({ status }) => status as Status);
  expect([...new Set(statuses)]).toEqual([
    'inProgress',
    'mitigated',
    'stopped',
    'activeButTerminating',
    'terminated',
  ]);
  const mitigated = entries.find(({ status }) => status === 'mitigated');
  expect(mitigated).toMatchObject({ bytesDropped: 5000n, pktsDropped: 50n });
  expect(codeOf(told.at(-1))).toBe('4.04');
});
