/** The world's time and chance, handed to whoever composes core. */
import type { EpochSeconds, Instant } from '../base/time.ts';

export interface Clock {
  /** Monotonic milliseconds: timers, retransmission, heartbeats. */
  monotonic(): Instant;
  /** Whole seconds of the wall clock: lifetimes. */
  epochSeconds(): EpochSeconds;
}

export interface Random {
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). */
  fraction(): number;
}
