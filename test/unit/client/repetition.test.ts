import { Repetition, repetitionInterval } from '#core/client/repetition.ts';
import { RoundTrip } from '#core/client/round-trip.ts';

test('S-041 without an estimate copies are at least 3 s apart, and further as time goes by', () => {
  const gaps = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((copies) => repetitionInterval(copies, undefined));
  expect(gaps).toEqual([3000, 3000, 3000, 3000, 6000, 12000, 12000, 12000, 12000]);
});

test('with an estimate they are two round trips apart, and at least 1 s', () => {
  expect(repetitionInterval(1, 10)).toBe(1000);
  expect(repetitionInterval(9, 700)).toBe(1400);
});

test('the estimate is smoothed', () => {
  const roundTrip = new RoundTrip();
  expect(roundTrip.estimateMs).toBeUndefined();
  roundTrip.sample(100);
  expect(roundTrip.estimateMs).toBe(100);
  roundTrip.sample(900);
  expect(roundTrip.estimateMs).toBe(200);
});

test('the first copy is due at once, the next after the interval', () => {
  const repetition = new Repetition(100, true);
  expect(repetition.nextAt).toBe(100);
  repetition.sent(150, undefined);
  expect(repetition.nextAt).toBe(3150);
  repetition.sent(3150, 20);
  expect(repetition.nextAt).toBe(4150);
});

test('what the layer below repeats is sent once', () => {
  const repetition = new Repetition(0, false);
  repetition.sent(0, 5);
  expect(repetition.nextAt).toBe(Infinity);
});
