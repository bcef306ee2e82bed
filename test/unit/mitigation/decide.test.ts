import { decide } from '#core/mitigation/decide.ts';
import { lost, NOON, prefixes, put, requester, World, withdrawal } from './fixtures.ts';

const alice = requester('alice');

test('a first request is created, claims its cuid and is wanted from the mitigators', () => {
  const world = new World();
  const answer = world.ask(put(alice, 1, prefixes('192.0.2.77/24')));
  expect(answer).toEqual({ result: 'created', mid: 1, lifetimeSeconds: 3600 });
  expect(world.last?.cuidClaim).toEqual({ cuid: alice.cuid, identityId: alice.identityId });
  expect(world.record(alice, 1)).toMatchObject({
    status: 'inProgress',
    desired: 'present',
    startedAt: NOON,
    expiresAt: NOON + 3600,
    targets: [{ prefix: '192.0.2.0/24', protocols: [], portRanges: [] }],
    scope: { targetPrefixes: ['192.0.2.77/24'] },
    sv: 1,
    generation: 1,
  });
});

test('the view is not changed and the same question has the same answer', () => {
  const world = new World();
  const command = put(alice, 1, prefixes('192.0.2.1/32'));
  const first = decide(world.view, command, NOON);
  expect(decide(world.view, command, NOON)).toEqual(first);
  expect(world.view.liveCount).toBe(0);
});

test('a generation grows when what is wanted changes, and only then', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  expect(world.record(alice, 1)).toMatchObject({ sv: 2, generation: 1 });
  world.ask(withdrawal(alice, 1));
  expect(world.record(alice, 1)).toMatchObject({ sv: 3, generation: 1, desired: 'present' });
  world.pass(120);
  expect(world.record(alice, 1)).toMatchObject({ sv: 4, generation: 4, desired: 'absent' });
});

test('what changed something is audited with its author; what changed nothing is not', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  expect(world.last?.audit).toEqual([
    {
      actor: alice.identityId,
      action: 'put',
      detail: {
        answer: 'created',
        source: 'client',
        records: [{ cuid: 'alice', mid: 1, status: 'inProgress' }],
      },
    },
  ]);
  world.ask(lost(alice));
  expect(world.last).toMatchObject({ writes: [], audit: [] });
});
