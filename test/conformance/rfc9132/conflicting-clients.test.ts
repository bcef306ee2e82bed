/** RFC 9132 §4.4.1.3 and §4.4.2.1: requests of different clients of one domain that want the same target. */
import { visibleConflict } from '#core/mitigation/conflict.ts';
import { remainingLifetime } from '#core/mitigation/lifetime.ts';
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import {
  codeOf,
  conflictOf,
  lost,
  NOON,
  prefixes,
  put,
  requester,
  World,
  withdrawal,
} from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');
const bob = requester('bob');
const shared = { targetPrefixes: ['192.0.2.1/32'] };

test('S-057 S-146 another identity’s cuid is 4.09 with the cause alone; the record is untouched', () => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  const before = world.record(alice, 1);
  const impostor = requester('alice', 'id-of-mallory');
  for (const mid of [1, 2]) {
    const answer = world.ask(put(impostor, mid, prefixes('192.0.2.1/32')));
    expect(codeOf(answer)).toBe('4.09');
    expect(conflictOf(answer)).toEqual({ cause: 'cuidCollision' });
    if (answer.result !== 'refused') throw new Error('it was not refused');
    const { payload } = errorResponse(answer.refusal);
    expect(Buffer.from(payload).toString('hex')).toBe('a101a10281a111a11303');
  }
  expect(world.record(alice, 1)).toBe(before);
  expect(world.view.liveCount).toBe(1);
});

test('one gateway’s clients with one cuid and different cdid are different clients', () => {
  const world = new World();
  const east = requester('box', 'id-of-gateway', 'east');
  const west = requester('box', 'id-of-gateway', 'west');
  world.ask(put(east, 1, prefixes('192.0.2.1/32')));
  expect(conflictOf(world.ask(put(west, 1, prefixes('192.0.2.1/32'))))).toEqual({ cause: 'cuidCollision' });
  expect(world.code(withdrawal(west, 1))).toBe('2.02');
  expect(world.record(east, 1).status).toBe('inProgress');
});

describe('accept-both', () => {
  const asked = (): World => {
    const world = new World({ conflictPolicy: 'accept-both' });
    world.ask(put(alice, 1, prefixes('192.0.2.0/24')));
    return world;
  };

  test('S-142 S-143 the new request is 2.01 and told of the conflict, without retry-timer', () => {
    const world = asked();
    const answer = world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    expect(codeOf(answer)).toBe('2.01');
    expect(conflictOf(answer)).toEqual({ status: 'active', cause: 'overlappingTargets', scope: shared });
  });

  test('S-147 S-351 neither side learns the other’s mid', () => {
    const world = asked();
    const answer = world.ask(put(bob, 77, prefixes('192.0.2.1/32')));
    expect(conflictOf(answer)?.scope).not.toHaveProperty('mid');
    expect(world.record(alice, 1).conflict?.scope).not.toHaveProperty('mid');
  });

  test('S-200 S-202 both are in progress with conflict-status 2', () => {
    const world = asked();
    world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    for (const client of [alice, bob]) {
      const record = world.record(client, 1);
      expect(visibleStatus(record, [], world.now)).toEqual({
        status: 'inProgress',
        conflict: { status: 'active', cause: 'overlappingTargets', scope: shared },
      });
      expect(record.desired).toBe('present');
    }
  });

  test('the conflict is over when one of them is withdrawn, for the other one too', () => {
    const world = asked();
    world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    world.ask(withdrawal(bob, 1));
    expect(world.record(alice, 1)).not.toHaveProperty('conflict');
    expect(world.record(bob, 1)).not.toHaveProperty('conflict');
  });

  test('with a third client the conflict of the first is over only with the last', () => {
    const world = asked();
    const carol = requester('carol');
    world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    world.ask(put(carol, 1, prefixes('192.0.2.2/32')));
    world.ask(withdrawal(bob, 1));
    expect(world.record(alice, 1)).toHaveProperty('conflict');
    world.now += 3600;
    world.pass(0);
    world.ask(put(alice, 1, prefixes('192.0.2.0/24')));
    expect(world.record(alice, 1)).not.toHaveProperty('conflict');
  });

  test('what the other client is about to end is no conflict', () => {
    const world = asked();
    world.ask(withdrawal(alice, 1));
    expect(conflictOf(world.ask(put(bob, 1, prefixes('192.0.2.1/32'))))).toBeUndefined();
  });
});

describe('reject-new', () => {
  const asked = (): World => {
    const world = new World({ conflictPolicy: 'reject-new' });
    world.ask(put(alice, 1, prefixes('192.0.2.0/24'), { lifetimeSeconds: 1800 }));
    world.now += 100;
    return world;
  };

  test('S-142 S-143 S-199 the new request is 4.09 with status 1 and the remaining lifetime as retry-timer', () => {
    const world = asked();
    const before = world.record(alice, 1);
    const answer = world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    expect(codeOf(answer)).toBe('4.09');
    expect(conflictOf(answer)).toEqual({
      status: 'inactive',
      cause: 'overlappingTargets',
      retryTimerSeconds: 1700,
      scope: shared,
    });
    expect(world.record(alice, 1)).toBe(before);
    expect(world.listed(bob)).toEqual([]);
  });

  test('S-149 for an unlimited winner the retry-timer is the recommended lifetime', () => {
    const world = asked();
    world.ask(put(alice, 1, prefixes('192.0.2.0/24'), { lifetimeSeconds: -1 }));
    expect(conflictOf(world.ask(put(bob, 1, prefixes('192.0.2.1/32'))))).toMatchObject({
      retryTimerSeconds: 3600,
    });
  });

  test('a preconfigured request that overlaps is kept, and stays off when its turn comes', () => {
    const world = asked();
    expect(world.code(put(bob, 1, prefixes('192.0.2.1/32'), { triggerMitigation: false }))).toBe('2.01');
    world.ask(lost(bob));
    expect(world.record(bob, 1)).toMatchObject({
      status: 'signalLoss',
      desired: 'absent',
      conflict: { status: 'inactive', cause: 'overlappingTargets' },
    });
  });
});

describe('replace-old', () => {
  const asked = (): World => {
    const world = new World({ conflictPolicy: 'replace-old' });
    world.ask(put(alice, 1, prefixes('192.0.2.0/24')));
    world.ask(put(bob, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 1800 }));
    return world;
  };
  const inactive = {
    status: 'inactive',
    cause: 'overlappingTargets',
    retryTimerSeconds: 1800,
    scope: shared,
  };

  test('S-148 the new one is active without retry-timer, the old one inactive with it', () => {
    const world = asked();
    expect(world.record(bob, 1)).toMatchObject({
      status: 'inProgress',
      conflict: { status: 'active', cause: 'overlappingTargets', scope: shared },
    });
    expect(world.record(bob, 1).conflict).not.toHaveProperty('retryTimerSeconds');
    expect(world.record(alice, 1)).toMatchObject({ status: 'withdrawn', conflict: inactive });
  });

  test('S-188 S-201 the old client is told status 7 with conflict-status 1, and its mitigation stops at once', () => {
    const world = asked();
    const old = world.record(alice, 1);
    expect(old.desired).toBe('absent');
    expect(old.notices).toEqual([
      { sequence: 1, status: 'withdrawn', repeat: 1, conflict: inactive, at: NOON },
    ]);
    expect(visibleStatus(old, [], world.now)).toEqual({ status: 'withdrawn', conflict: inactive });
  });

  test('S-150 the old record is kept for retry-timer + 45 s', () => {
    const world = asked();
    expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(1845);
    world.pass(1844);
    expect(world.listed(alice)).toEqual([1]);
    world.pass(1);
    expect(world.listed(alice)).toEqual([]);
  });

  test('S-152 asking again before the retry-timer ends is 4.09 with what is left of it', () => {
    const world = asked();
    world.now += 900;
    const answer = world.ask(put(alice, 1, prefixes('192.0.2.0/24')));
    expect(codeOf(answer)).toBe('4.09');
    expect(conflictOf(answer)).toEqual({ ...inactive, retryTimerSeconds: 900 });
    expect(visibleConflict(world.record(alice, 1), world.now)).toEqual({
      ...inactive,
      retryTimerSeconds: 900,
    });
  });

  test('asking again afterwards never displaces the winner: 4.09 with its new remaining lifetime', () => {
    const world = asked();
    world.now += 1700;
    world.ask(put(bob, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 1800 }));
    world.now += 101;
    const answer = world.ask(put(alice, 1, prefixes('192.0.2.0/24')));
    expect(conflictOf(answer)).toMatchObject({ status: 'inactive', retryTimerSeconds: 1699 });
    expect(remainingLifetime(world.record(alice, 1), world.now)).toBe(1699 + 45);
    expect(world.record(bob, 1).status).toBe('inProgress');
  });

  test('asking again when the winner is gone makes it active: 2.04', () => {
    const world = asked();
    world.pass(1800);
    expect(world.code(put(alice, 1, prefixes('192.0.2.0/24')))).toBe('2.04');
    const record = world.record(alice, 1);
    expect(record).toMatchObject({ status: 'inProgress', desired: 'present' });
    expect(record).not.toHaveProperty('conflict');
  });

  test('withdrawing the inactive one removes it at once and ends the conflict of the other', () => {
    const world = asked();
    expect(world.code(withdrawal(alice, 1))).toBe('2.02');
    expect(world.record(alice, 1)).toMatchObject({ status: 'terminated', removedAt: NOON });
    expect(world.record(bob, 1)).not.toHaveProperty('conflict');
  });

  test('an active preconfigured request that loses waits again: 7 four times, then 8', () => {
    const world = new World({ conflictPolicy: 'replace-old' });
    world.ask(put(alice, 1, prefixes('192.0.2.0/24'), { triggerMitigation: false }));
    world.ask(lost(alice));
    world.ask(put(bob, 1, prefixes('192.0.2.1/32')));
    const record = world.record(alice, 1);
    expect(record.status).toBe('signalLoss');
    expect(record.notices.map(({ status, repeat }) => [status, repeat])).toEqual([
      ['withdrawn', 4],
      ['signalLoss', 1],
    ]);
  });
});
