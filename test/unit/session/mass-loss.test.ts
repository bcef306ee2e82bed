import { MassLossBreaker } from '#core/session/mass-loss.ts';

function after(losses: number, at = 0): MassLossBreaker {
  const breaker = new MassLossBreaker();
  for (let count = 0; count < losses; count++) breaker.recordLoss(at);
  return breaker;
}

test('twenty losses within five minutes are ordinary, one more is not', () => {
  expect(after(20).isOpen(0, 100, 1000)).toBe(false);
  expect(after(21).isOpen(0, 100, 1000)).toBe(true);
});

test('of many sessions a twentieth may be lost', () => {
  expect(after(100).isOpen(0, 2000, 1000)).toBe(false);
  expect(after(101).isOpen(0, 2000, 1000)).toBe(true);
});

test('it closes five minutes after the last loss, unless as many are still waiting', () => {
  expect(after(30).isOpen(0, 100, 299_999)).toBe(true);
  expect(after(30).isOpen(20, 100, 300_000)).toBe(false);
  expect(after(30).isOpen(21, 100, 300_000)).toBe(true);
});
