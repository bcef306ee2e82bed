/** When a lost client's mitigations are triggered, and when nothing is. */
import { LossOfSignal } from '#agent-edge/server/loss-of-signal.ts';
import type { SignalEvent } from '#agent-edge/server/signal-event.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { Cuid, IdentityId } from '#core/model/identifiers.ts';
import { CUID, DEMO, IDENTITY, OTHER_CUID } from '#test/support/records.ts';

function watching(clients = [{ cuid: CUID }]) {
  const world = {
    now: 0,
    heard: new Set<IdentityId>(),
    sessions: 10,
    answer: { result: 'done' } as Answer,
    submitted: [] as Command[],
    events: [] as SignalEvent[],
    triggered: 0,
  };
  const losses = new LossOfSignal({
    clock: { monotonic: () => world.now },
    log: (event) => world.events.push(event),
    submit: (_, command) => {
      world.submitted.push(command);
      return Promise.resolve(world.answer);
    },
    preconfigured: () => clients,
    isHeard: (identityId) => world.heard.has(identityId),
    sessions: () => world.sessions,
    triggered: () => world.triggered++,
  });
  const tick = async (now: number): Promise<void> => {
    world.now = now;
    losses.tick();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { world, losses, tick };
}

test('each client of the identity is triggered once, when the silence is over', async () => {
  const { world, losses, tick } = watching([{ cuid: CUID }, { cuid: OTHER_CUID }]);
  losses.watch(IDENTITY, DEMO, 1000);
  await tick(999);
  expect(world.submitted).toEqual([]);
  await tick(1000);
  await tick(2000);
  expect(world.submitted).toEqual([
    { type: 'signal-lost', requester: { identityId: IDENTITY, cuid: CUID, source: 'loss-of-signal' } },
    { type: 'signal-lost', requester: { identityId: IDENTITY, cuid: OTHER_CUID, source: 'loss-of-signal' } },
  ]);
  expect([world.triggered, losses.waiting]).toEqual([1, 0]);
});

test('a client that is heard again in time, or that leaves in good order, is not lost', async () => {
  const { world, losses, tick } = watching();
  losses.watch(IDENTITY, DEMO, 1000);
  world.heard.add(IDENTITY);
  await tick(500);
  world.heard.clear();
  await tick(5000);
  losses.watch(IDENTITY, DEMO, 6000);
  losses.cancel(IDENTITY);
  await tick(7000);
  expect(world.submitted).toEqual([]);
});

test('what the function could not do is asked for again', async () => {
  const { world, losses, tick } = watching();
  world.answer = {
    result: 'refused',
    refusal: { code: 'unavailable', why: 'throttled', retryAfterSeconds: 3 },
  };
  losses.watch(IDENTITY, DEMO, 0);
  await tick(1);
  expect([world.submitted.length, world.triggered, losses.waiting]).toEqual([1, 0, 1]);
  world.answer = { result: 'done' };
  await tick(2);
  await tick(3);
  expect([world.submitted.length, world.triggered, losses.waiting]).toEqual([2, 1, 0]);
});

test('many at once are nobody’s signal: they wait, are told of once, and the few that stay silent are triggered', async () => {
  const { world, losses, tick } = watching();
  const identities = Array.from({ length: 30 }, (_, index) => `lost-${index}` as IdentityId);
  for (const identityId of identities) losses.watch(identityId, DEMO, 0);
  for (let now = 1; now < 600_000; now += 10_000) await tick(now);
  expect(world.submitted).toEqual([]);
  expect(world.events).toEqual([{ event: 'mass-loss', waiting: 30, sessions: 10 }]);
  for (const identityId of identities.slice(2)) world.heard.add(identityId);
  await tick(600_001);
  expect(world.submitted).toHaveLength(2);
});

test('A-178 a client with nothing waiting causes no command and no event', async () => {
  const { world, losses, tick } = watching([] as { cuid: Cuid }[]);
  losses.watch(IDENTITY, DEMO, 0);
  await tick(1);
  expect([world.submitted, world.events, losses.waiting]).toEqual([[], [], 0]);
});
