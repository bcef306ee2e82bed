/**
 * Two clocks, never mixed: retransmission and heartbeats run on a monotonic one, lifetimes on the wall clock.
 * Core reads neither; both are arguments.
 */

/** Milliseconds on the monotonic clock of one process. */
export type Instant = number;

/** Seconds since 1970-01-01T00:00Z, whole. */
export type EpochSeconds = number;
