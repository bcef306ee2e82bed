/** An acknowledgement is a promise: it holds when the process that gave it is killed at once. */
import { putAndKill } from '#test/support/killed-puts.ts';

test('every acknowledged mitigation is there after kill -9 and a restart', async () => {
  const result = await putAndKill(300, 120);
  expect(result.acknowledged).toBeGreaterThanOrEqual(120);
  expect(result.lost).toEqual([]);
}, 60_000);
