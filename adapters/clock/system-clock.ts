/** The machine's two clocks: monotonic for timers, wall for lifetimes. */
import type { Clock } from '#core/ports/clock.ts';

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  epochSeconds: () => Math.floor(Date.now() / 1000),
};
