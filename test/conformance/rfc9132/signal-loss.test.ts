/** RFC 9132 §4.4.1.3, §4.4.4 and §4.7: what a lost session starts, and what stops it. */
import { lost, NOON, prefixes, put, requester, World, withdrawal } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');
const preconfigured = { triggerMitigation: false };

const lostWithBoth = (): World => {
  const world = new World();
  world.ask(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured));
  world.ask(put(alice, 6, prefixes('192.0.2.1/32')));
  world.ask(put(alice, 7, prefixes('198.51.100.1/32')));
  world.now += 10;
  expect(world.ask(lost(alice))).toEqual({ result: 'done' });
  return world;
};

test('S-094 the loss starts what is preconfigured', () => {
  const world = new World();
  world.ask(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured));
  world.now += 10;
  world.ask(lost(alice));
  expect(world.record(alice, 5)).toMatchObject({
    status: 'inProgress',
    desired: 'present',
    startedAt: NOON + 10,
    expiresAt: NOON + 3600,
  });
});

test('S-139 overlapping immediate requests are withdrawn (7), others go on', () => {
  const world = lostWithBoth();
  expect(world.record(alice, 5).status).toBe('inProgress');
  expect(world.record(alice, 6)).toMatchObject({
    status: 'withdrawn',
    desired: 'absent',
    notices: [{ status: 'withdrawn', repeat: 1 }],
  });
  expect(world.record(alice, 7)).toMatchObject({ status: 'inProgress', desired: 'present' });
});

test('S-140 without a terminating period', () => {
  const world = lostWithBoth();
  expect(world.record(alice, 6).desired).toBe('absent');
  expect(world.record(alice, 6).notices.map(({ status }) => status)).not.toContain('activeButTerminating');
});

test('the loss concerns nobody else', () => {
  const world = new World();
  const bob = requester('bob');
  world.ask(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured));
  world.ask(put(bob, 5, prefixes('198.51.100.0/24'), preconfigured));
  world.ask(lost(alice));
  expect(world.record(bob, 5).status).toBe('signalLoss');
  world.ask(lost(requester('bob', 'id-of-mallory')));
  expect(world.record(bob, 5).status).toBe('signalLoss');
});

test('a loss that is told twice changes nothing the second time', () => {
  const world = lostWithBoth();
  world.ask(lost(alice));
  expect(world.last?.writes).toEqual([]);
});

test('S-241 a refresh over the new session does not stop it', () => {
  const world = lostWithBoth();
  expect(world.code(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured))).toBe('2.04');
  expect(world.record(alice, 5)).toMatchObject({ status: 'inProgress', desired: 'present' });
});

test('S-240 it ends with a withdrawal, after the terminating period', () => {
  const world = lostWithBoth();
  world.ask(withdrawal(alice, 5));
  expect(world.record(alice, 5).status).toBe('activeButTerminating');
  world.pass(120);
  expect(world.record(alice, 5)).toMatchObject({ status: 'terminated', desired: 'absent' });
});

test('S-240 it ends with its lifetime', () => {
  const world = lostWithBoth();
  world.pass(3600);
  expect(world.record(alice, 5)).toMatchObject({ status: 'terminated', desired: 'absent' });
});

test('a preconfigured request that was withdrawn and is asked for again waits again', () => {
  const world = lostWithBoth();
  world.ask(withdrawal(alice, 5));
  expect(world.code(put(alice, 5, prefixes('192.0.2.0/24'), preconfigured))).toBe('2.01');
  expect(world.record(alice, 5)).toMatchObject({ status: 'signalLoss', desired: 'absent' });
});

test('the immediate request that had to give way comes back when it is asked for again', () => {
  const world = lostWithBoth();
  expect(world.code(put(alice, 6, prefixes('192.0.2.1/32')))).toBe('2.04');
  expect(world.record(alice, 6)).toMatchObject({ status: 'inProgress', desired: 'present' });
  expect(world.record(alice, 5)).toMatchObject({ status: 'signalLoss', desired: 'absent' });
});

test('S-191 S-240 it ends when the attack has stopped: 3 four times, then 8 without mitigation-start', () => {
  const world = lostWithBoth();
  const { cuid, mid, generation } = world.record(alice, 5);
  world.ask({ type: 'attack-stopped', cuid, mid, generation });
  const record = world.record(alice, 5);
  expect(record).toMatchObject({ status: 'signalLoss', desired: 'absent' });
  expect(record).not.toHaveProperty('startedAt');
  expect(record.notices.map(({ status, repeat }) => [status, repeat])).toEqual([
    ['stopped', 4],
    ['signalLoss', 1],
  ]);
});

test('the end of an attack ends no immediate request, and nothing that began after it was told', () => {
  const world = lostWithBoth();
  const immediate = world.record(alice, 7);
  world.ask({
    type: 'attack-stopped',
    cuid: alice.cuid,
    mid: immediate.mid,
    generation: immediate.generation,
  });
  expect(world.record(alice, 7)).toBe(immediate);
  const preconfiguredRecord = world.record(alice, 5);
  world.ask({ type: 'attack-stopped', cuid: alice.cuid, mid: preconfiguredRecord.mid, generation: 1 });
  expect(world.record(alice, 5)).toBe(preconfiguredRecord);
});
