import { TRANSITIONS, transition } from '#core/mitigation/transitions.ts';
import type { Status } from '#core/model/status.ts';
import { NOON, prefixes, put, requester, World } from './fixtures.ts';

test('the lifecycle, as a graph: a difference here is a difference in behaviour', () => {
  const edges = Object.entries(TRANSITIONS).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => `${from} -> ${to}: ${event}`),
  );
  expect(edges.sort()).toEqual([
    'activeButTerminating -> inProgress: requestedAgain',
    'activeButTerminating -> signalLoss: armedAgain',
    'activeButTerminating -> terminated: overridden',
    'activeButTerminating -> terminated: periodElapsed',
    'inProgress -> activeButTerminating: clientWithdraws',
    'inProgress -> signalLoss: attackStopped',
    'inProgress -> signalLoss: yielded',
    'inProgress -> terminated: lifetimeElapsed',
    'inProgress -> terminated: overridden',
    'inProgress -> withdrawn: deactivated',
    'signalLoss -> inProgress: signalLost',
    'signalLoss -> terminated: clientWithdraws',
    'signalLoss -> terminated: lifetimeElapsed',
    'signalLoss -> terminated: overridden',
    'withdrawn -> inProgress: requestedAgain',
    'withdrawn -> terminated: clientWithdraws',
    'withdrawn -> terminated: lifetimeElapsed',
    'withdrawn -> terminated: overridden',
  ]);
});

test('an event that a status does not know is our mistake', () => {
  const world = new World();
  const alice = requester('alice');
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  const mitigation = world.record(alice, 1);
  for (const status of ['terminated', 'mitigated', 'signalLoss'] satisfies Status[]) {
    expect(() => transition({ ...mitigation, status }, { type: 'periodElapsed' }, NOON)).toThrow(
      `a mitigation with status ${status} cannot be periodElapsed`,
    );
  }
});
