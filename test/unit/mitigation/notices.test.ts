import { withNotices } from '#core/mitigation/notices.ts';
import { NOON } from './fixtures.ts';

const terminated = { status: 'terminated', repeat: 1 } as const;

test('sequences grow by one and never start over', () => {
  const first = withNotices([], [terminated, terminated], NOON);
  expect(first.map(({ sequence }) => sequence)).toEqual([1, 2]);
  const second = withNotices(first, [terminated], NOON + 1000);
  expect(second).toEqual([{ ...terminated, sequence: 3, at: NOON + 1000 }]);
});

test('a notice is kept for 60 seconds', () => {
  const first = withNotices([], [terminated], NOON);
  expect(withNotices(first, [terminated], NOON + 59)).toHaveLength(2);
  expect(withNotices(first, [terminated], NOON + 60)).toHaveLength(1);
});

test('without a new one they stay as they are', () => {
  const first = withNotices([], [terminated], NOON);
  expect(withNotices(first, [], NOON + 1000)).toBe(first);
});
