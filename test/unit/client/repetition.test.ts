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

test('a repetition sends at once, waits, and gives up in time', () => {
  const repetition = new Repetition(0, { giveUpAfterMs: 7_000, repeats: true });
  expect(repetition.deadline).toBe(0);
  expect(repetition.advance(0, undefined)).toBe('send');
  expect(repetition.deadline).toBe(3000);
  expect(repetition.advance(2999, undefined)).toBe('wait');
  expect(repetition.advance(3000, undefined)).toBe('send');
  expect(repetition.advance(6000, undefined)).toBe('send');
  expect(repetition.deadline).toBe(7000);
  expect(repetition.advance(7000, undefined)).toBe('give-up');
});

test('what the layer below repeats is sent once', () => {
  const repetition = new Repetition(0, { giveUpAfterMs: 7_000, repeats: false });
  expect(repetition.advance(0, 5)).toBe('send');
  expect(repetition.deadline).toBe(7000);
});
