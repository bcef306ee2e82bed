/** What an observer is sent next: notices never lost, changes told once, the end told last. */
import type { Mitigation, MitigationReport, Notice } from '#core/model/mitigation.ts';
import type { WatchedMitigation } from '#core/ports/store.ts';
import {
  beginTold,
  type Notification,
  PERIOD_MS,
  planNotification,
  type Told,
} from '#core/server/notification-plan.ts';
import { makeMitigation, makeReport, mid } from '#test/support/records.ts';

const WALL = 1_800_000_010;
const watched = (changes: Partial<Mitigation> = {}, ...reports: MitigationReport[]): WatchedMitigation => ({
  mitigation: makeMitigation(changes),
  reports,
});
const notice = (sequence: number, status: Notice['status'], repeat = 1): Notice => ({
  sequence,
  status,
  repeat,
  at: WALL,
});
const statuses = (notification: Notification): unknown =>
  notification.type === 'gone' ? 'gone' : notification.entries.map((entry) => `${entry.mid} ${entry.status}`);

/** Every notification until there is nothing more to say, three seconds apart. */
function drain(told: Told, now: readonly WatchedMitigation[], from = 0): unknown[] {
  const sent: unknown[] = [];
  for (let at = from, known = told; sent.length < 50; at += 3000) {
    const plan = planNotification(known, now, WALL, at);
    if (plan === undefined || plan.urgency === 'periodic') return sent;
    sent.push(statuses(plan.notification));
    known = plan.told;
  }
  return sent;
}

test('nothing changed, nothing to say; after the period what is under way is told again', () => {
  const now = [watched()];
  const told = beginTold(now, WALL, 0);
  expect(planNotification(told, now, WALL, PERIOD_MS - 1)).toBeUndefined();
  expect(planNotification(told, now, WALL, PERIOD_MS)?.urgency).toBe('periodic');
});

test('counters, lifetime and a retry timer that runs are no change; a conflict is', () => {
  const conflict = { status: 'inactive', cause: 'overlappingTargets' } as const;
  const before = [watched({ status: 'withdrawn', conflict: { ...conflict, retryTimerSeconds: 100 } })];
  const later = [watched({ status: 'withdrawn', conflict: { ...conflict, retryTimerSeconds: 90 } })];
  const told = beginTold(before, WALL, 0);
  expect(planNotification(told, later, WALL, 3000)).toBeUndefined();
  const counted = makeReport({ counters: { bytesDropped: 9n, packetsDropped: 1n } });
  expect(drain(beginTold([watched({}, makeReport())], WALL, 0), [watched({}, counted)])).toEqual([]);
  expect(drain(told, [watched()])).toEqual([['1 inProgress']]);
});

test('S-192 notices are sent as often as they ask, in order, before what is now', () => {
  const told = beginTold([watched({ triggerMitigation: false })], WALL, 0);
  const now = watched({
    triggerMitigation: false,
    status: 'signalLoss',
    notices: [notice(1, 'withdrawn', 4), notice(2, 'signalLoss')],
  });
  expect(drain(told, [now])).toEqual([
    ['1 withdrawn'],
    ['1 withdrawn'],
    ['1 withdrawn'],
    ['1 withdrawn'],
    ['1 signalLoss'],
  ]);
});

test('S-191 attack over on a preconfigured request: 3 four times, then 8', () => {
  const told = beginTold([watched({ triggerMitigation: false })], WALL, 0);
  const now = watched({
    triggerMitigation: false,
    status: 'signalLoss',
    notices: [notice(1, 'stopped', 4), notice(2, 'signalLoss')],
  });
  expect(drain(told, [now])).toEqual([
    ['1 stopped'],
    ['1 stopped'],
    ['1 stopped'],
    ['1 stopped'],
    ['1 signalLoss'],
  ]);
});

test('a notice that comes while another is repeated waits its turn', () => {
  let told = beginTold([watched({ triggerMitigation: false })], WALL, 0);
  const first = watched({ status: 'signalLoss', notices: [notice(1, 'withdrawn', 2)] });
  const plan = planNotification(told, [first], WALL, 0);
  if (plan === undefined) throw new Error('nothing planned');
  told = plan.told;
  const both = watched({
    status: 'inProgress',
    notices: [notice(1, 'withdrawn', 2), notice(2, 'signalLoss')],
  });
  expect(drain(told, [both])).toEqual([['1 withdrawn'], ['1 signalLoss'], ['1 inProgress']]);
});

test('D10 D19 a tombstone is told 6 once, then gone; forgotten at once it is just gone', () => {
  const told = beginTold([watched()], WALL, 0);
  const ended = watched({ status: 'terminated', removedAt: WALL, notices: [notice(1, 'terminated')] });
  expect(drain(told, [ended])).toEqual([['1 terminated'], 'gone']);
  expect(drain(told, [])).toEqual(['gone']);
});

test('a list drops what ended after its notice, shows what came, and ends when empty', () => {
  const told = beginTold([watched(), watched({ mid: mid(2) })], WALL, 0);
  const ended = watched({ status: 'terminated', removedAt: WALL, notices: [notice(1, 'terminated')] });
  const now = [ended, watched({ mid: mid(2) }), watched({ mid: mid(3) })];
  expect(drain(told, now)).toEqual([
    ['1 terminated', '2 inProgress', '3 inProgress'],
    ['2 inProgress', '3 inProgress'],
  ]);
  expect(drain(told, [ended])).toEqual([['1 terminated'], 'gone']);
});

test('what began and ended between two looks is still told to a list', () => {
  const told = beginTold([watched()], WALL, 0);
  const brief = watched({
    mid: mid(2),
    status: 'terminated',
    removedAt: WALL,
    notices: [notice(1, 'terminated')],
  });
  expect(drain(told, [watched(), brief])).toEqual([['1 inProgress', '2 terminated'], ['1 inProgress']]);
});

test('older notices are not owed to who registers later', () => {
  const now = [watched({ status: 'signalLoss', notices: [notice(7, 'withdrawn', 4)] })];
  expect(drain(beginTold(now, WALL, 0), now)).toEqual([]);
});

test('status 8 in a notice has no mitigation-start', () => {
  const told = beginTold([watched()], WALL, 0);
  const plan = planNotification(
    told,
    [watched({ status: 'inProgress', notices: [notice(1, 'signalLoss')] })],
    WALL,
    0,
  );
  const [entry] = plan?.notification.type === 'content' ? plan.notification.entries : [];
  expect([entry?.status, entry?.mitigationStart]).toEqual(['signalLoss', undefined]);
});

test('what has run out and is not settled yet keeps its place until its end is decided', () => {
  const told = beginTold([watched()], WALL, 0);
  expect(drain(told, [watched({ expiresAt: WALL })])).toEqual([]);
});
