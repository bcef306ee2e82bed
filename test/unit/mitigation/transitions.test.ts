import { transition } from '#core/mitigation/transitions.ts';
import type { Status } from '#core/model/status.ts';
import { NOON, prefixes, put, requester, World } from './fixtures.ts';

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
