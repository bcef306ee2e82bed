import { RateBucket } from '#core/server/rate-limit.ts';

test('a burst passes, then one request per interval, and the wait is told in whole seconds', () => {
  const bucket = new RateBucket({ requestsPerSecond: 0.5, burst: 3 }, 0);
  expect([1, 2, 3, 4].map(() => bucket.take(0))).toEqual([0, 0, 0, 2]);
  expect(bucket.take(1000)).toBe(1);
  expect(bucket.take(2000)).toBe(0);
  expect(bucket.take(2000)).toBe(2);
});

test('what is not used is kept up to the burst and no further', () => {
  const bucket = new RateBucket({ requestsPerSecond: 10, burst: 2 }, 0);
  expect([1, 2, 3].map(() => bucket.take(3_600_000) === 0)).toEqual([true, true, false]);
});
