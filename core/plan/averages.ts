/**
 * What a mitigation has dropped since it was triggered, from a device that counts from its own start.
 * RFC 9132 §4.4.2: averages are taken by "measuring bytes into five-minute buckets and then averaging these buckets over
 * the time since the mitigation was triggered".
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Counters } from '../model/mitigation.ts';

export const BUCKET_SECONDS = 300;

/** As long without a drop is the end of an attack. */
const QUIET_SECONDS = 300;

const NOTHING: Counters = { bytesDropped: 0n, packetsDropped: 0n };

export interface Meter {
  /** When the mitigation was triggered. */
  readonly startedAt: EpochSeconds;
  readonly readAt: EpochSeconds;
  /** When the count last rose, or the meter was started. */
  readonly risenAt: EpochSeconds;
  /** Counted by the device before it last started over. */
  readonly base: Counters;
  /** The device's own count when it was last read. */
  readonly device: Counters;
  /** Total at the end of the last complete bucket. */
  readonly bucketed: Counters;
}

export function startMeter(startedAt: EpochSeconds, now: EpochSeconds): Meter {
  return { startedAt, readAt: now, risenAt: now, base: NOTHING, device: NOTHING, bucketed: NOTHING };
}

/** The meter after the device has shown `device` at `now`. A count below the last one is a device that started over. */
export function readMeter(meter: Meter, device: Counters, now: EpochSeconds): Meter {
  const hasRestarted =
    device.bytesDropped < meter.device.bytesDropped || device.packetsDropped < meter.device.packetsDropped;
  const base = hasRestarted ? plus(meter.base, meter.device) : meter.base;
  const before = plus(meter.base, meter.device);
  const after = plus(base, device);
  const boundary = lastBoundary(meter.startedAt, now);
  return {
    startedAt: meter.startedAt,
    readAt: now,
    risenAt: after.packetsDropped > before.packetsDropped ? now : meter.risenAt,
    base,
    device,
    bucketed:
      boundary > meter.readAt || (boundary === now && boundary > meter.startedAt)
        ? between(before, after, boundary - meter.readAt, now - meter.readAt)
        : meter.bucketed,
  };
}

/** Totals since the trigger, wrapped at 2^64-1 (S-179). */
export function totalsOf({ base, device }: Meter): Counters {
  const total = plus(base, device);
  return {
    bytesDropped: BigInt.asUintN(64, total.bytesDropped),
    packetsDropped: BigInt.asUintN(64, total.packetsDropped),
  };
}

/** Per second, over the complete buckets; over the time so far while the first is not complete. */
export function averagesOf(meter: Meter): {
  readonly bytesPerSecond: bigint;
  readonly packetsPerSecond: bigint;
} {
  const boundary = lastBoundary(meter.startedAt, meter.readAt);
  const isFirst = boundary <= meter.startedAt;
  const counted = isFirst ? plus(meter.base, meter.device) : meter.bucketed;
  const seconds = BigInt(Math.max(1, (isFirst ? meter.readAt : boundary) - meter.startedAt));
  return {
    bytesPerSecond: counted.bytesDropped / seconds,
    packetsPerSecond: counted.packetsDropped / seconds,
  };
}

/** True when nothing has been dropped for so long that the attack is over. */
export const isQuiet = (meter: Meter, now: EpochSeconds): boolean => now - meter.risenAt >= QUIET_SECONDS;

function lastBoundary(startedAt: EpochSeconds, now: EpochSeconds): EpochSeconds {
  return startedAt + Math.max(0, Math.floor((now - startedAt) / BUCKET_SECONDS)) * BUCKET_SECONDS;
}

/** The count at `part` of `whole` seconds between two readings, as if it had risen evenly. */
function between(before: Counters, after: Counters, part: number, whole: number): Counters {
  if (whole <= 0) return after;
  const at = (from: bigint, to: bigint): bigint => from + ((to - from) * BigInt(part)) / BigInt(whole);
  return {
    bytesDropped: at(before.bytesDropped, after.bytesDropped),
    packetsDropped: at(before.packetsDropped, after.packetsDropped),
  };
}

const plus = (left: Counters, right: Counters): Counters => ({
  bytesDropped: left.bytesDropped + right.bytesDropped,
  packetsDropped: left.packetsDropped + right.packetsDropped,
});
