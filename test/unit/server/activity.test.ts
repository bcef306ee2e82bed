/** Who is mitigating, and who waits for the loss of a session. */
import { DomainActivity } from '#core/server/activity.ts';
import { CUID, IDENTITY, makeMitigation, mid, OTHER_CUID, OTHER_IDENTITY } from '#test/support/records.ts';

test('an identity is mitigating from its first active mitigation to the end of its last, terminating included', () => {
  const activity = new DomainActivity();
  expect(activity.apply([makeMitigation()])).toEqual([IDENTITY]);
  expect(activity.apply([makeMitigation({ mid: mid(2) })])).toEqual([]);
  expect(activity.apply([makeMitigation({ status: 'activeButTerminating' })])).toEqual([]);
  expect(activity.apply([makeMitigation({ status: 'terminated', removedAt: 1 })])).toEqual([]);
  expect(activity.isMitigating(IDENTITY)).toBe(true);
  expect(activity.apply([makeMitigation({ mid: mid(2), status: 'withdrawn' })])).toEqual([IDENTITY]);
  expect(activity.isMitigating(IDENTITY)).toBe(false);
});

test('each client with a waiting request is named once, and only its own identity’s', () => {
  const activity = new DomainActivity();
  const waiting = { status: 'signalLoss', triggerMitigation: false } as const;
  activity.apply([
    makeMitigation(waiting),
    makeMitigation({ ...waiting, mid: mid(2) }),
    makeMitigation({ ...waiting, cuid: OTHER_CUID }),
    makeMitigation({ ...waiting, identityId: OTHER_IDENTITY, cuid: OTHER_CUID, mid: mid(9) }),
  ]);
  expect(activity.preconfigured(IDENTITY)).toEqual([{ cuid: CUID }, { cuid: OTHER_CUID }]);
  activity.apply([makeMitigation({ ...waiting, removedAt: 1 })]);
  activity.apply([makeMitigation({ ...waiting, mid: mid(2), status: 'inProgress' })]);
  expect(activity.preconfigured(IDENTITY)).toEqual([{ cuid: OTHER_CUID }]);
  expect(activity.isMitigating(IDENTITY)).toBe(true);
});
