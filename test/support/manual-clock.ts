/** A clock that stands until the test moves it. */
import type { Clock } from '#core/ports/clock.ts';

export interface ManualClock extends Clock {
  advance(seconds: number): void;
}

export function manualClock(start = 1_800_000_000): ManualClock {
  let now = start;
  return {
    monotonic: () => (now - start) * 1000,
    epochSeconds: () => now,
    advance: (seconds) => {
      now += seconds;
    },
  };
}
