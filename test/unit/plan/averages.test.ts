import type { Counters } from '#core/model/mitigation.ts';
import { averagesOf, isQuiet, type Meter, readMeter, startMeter, totalsOf } from '#core/plan/averages.ts';

const START = 1_800_000_000;

/** 100 bytes a packet. */
const bytes = (bytesDropped: number | bigint): Counters => ({
  bytesDropped: BigInt(bytesDropped),
  packetsDropped: BigInt(bytesDropped) / 100n,
});

/** Readings of a device, seconds after the start. */
const metered = (...readings: readonly (readonly [second: number, bytes: number | bigint])[]): Meter =>
  readings.reduce(
    (meter, [second, count]) => readMeter(meter, bytes(count), START + second),
    startMeter(START, START),
  );

test('S-180 S-181 300 s at 1000 B/s, then 300 s at 3000 B/s, are 2000 B/s', () => {
  const readings = Array.from({ length: 121 }, (_, index) => {
    const second = index * 5;
    return [second, second <= 300 ? second * 1000 : 300_000 + (second - 300) * 3000] as const;
  });
  expect(averagesOf(metered(...readings))).toEqual({ bytesPerSecond: 2000n, packetsPerSecond: 20n });
});

test('S-180 an unfinished bucket changes nothing; in the first one the time so far counts', () => {
  expect(averagesOf(metered([100, 50_000])).bytesPerSecond).toBe(500n);
  expect(averagesOf(metered([300, 300_000], [599, 9_000_000])).bytesPerSecond).toBe(1000n);
});

test('S-180 a reading that comes late is shared out between its buckets', () => {
  // 1000 B/s all along, read at 297 and 304: the boundary lies between.
  expect(averagesOf(metered([297, 297_000], [304, 304_000])).bytesPerSecond).toBe(1000n);
  // Nothing was read for three buckets.
  expect(averagesOf(metered([10, 10_000], [950, 950_000])).bytesPerSecond).toBe(1000n);
});

test('S-179 totals go on when the device starts over, and wrap at 2^64-1', () => {
  expect(totalsOf(metered([10, 5_000], [20, 700], [30, 900]))).toEqual(bytes(5_900));
  const full = (1n << 64n) - 1n;
  const meter = readMeter(
    readMeter(startMeter(START, START), { bytesDropped: full, packetsDropped: full }, START + 10),
    { bytesDropped: 2n, packetsDropped: 2n },
    START + 20,
  );
  expect(totalsOf(meter)).toEqual({ bytesDropped: 1n, packetsDropped: 1n });
});

test('an attack is over when nothing was dropped for five minutes, and not before', () => {
  const meter = metered([10, 1000], [20, 2000], [200, 2000]);
  expect(isQuiet(meter, START + 319)).toBe(false);
  expect(isQuiet(meter, START + 320)).toBe(true);
  expect(isQuiet(readMeter(meter, bytes(3000), START + 400), START + 400)).toBe(false);
});
