/** Reports with a meter: it travels in the report's refs as JSON, 64-bit counts as decimal text. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Counters, Mitigation, MitigationReport } from '#core/model/mitigation.ts';
import {
  averagesOf,
  BUCKET_SECONDS,
  isQuiet,
  type Meter,
  readMeter,
  startMeter,
  totalsOf,
} from '#core/plan/averages.ts';
import type { Capabilities } from '#core/plan/plan.ts';

/** What a driver says, before it is a report. */
export interface Said {
  readonly state: MitigationReport['state'];
  readonly actualTargets: MitigationReport['actualTargets'];
  readonly counters?: Counters;
  readonly reason?: string;
  readonly refs?: unknown;
}

/** `previous` is the last report of the same mitigator, of any generation. */
export function reportOf(
  mitigation: Mitigation,
  mitigator: { readonly name: string; readonly capabilities: Capabilities },
  said: Said,
  previous: MitigationReport | undefined,
  now: EpochSeconds,
): MitigationReport {
  const { domainId, cuid, mid, generation } = mitigation;
  const meter = nextMeter(mitigation, said.counters, previous, now);
  const state =
    said.state === 'active' &&
    mitigator.capabilities.counters === 'exact' &&
    meter !== undefined &&
    isQuiet(meter, now)
      ? 'stopped'
      : said.state;
  const { reason, actualTargets } = said;
  return {
    domainId,
    cuid,
    mid,
    generation,
    mitigator: mitigator.name,
    state,
    actualTargets,
    ...(meter === undefined ? {} : metered(meter)),
    ...(reason === undefined ? {} : { reason }),
    refs: {
      ...(meter === undefined ? {} : { meter: toJson(meter) }),
      driver: said.refs ?? driverRefs(previous),
    },
    updatedAt: now,
  };
}

const driverRefs = (report: MitigationReport | undefined): unknown =>
  (report?.refs as { readonly driver?: unknown } | undefined)?.driver;

/** True when a reader would see nothing new, and nothing of the meter would be lost. */
export function isSameReport(left: MitigationReport, right: MitigationReport): boolean {
  return comparable(left) === comparable(right);
}

/** Undefined while the driver has never counted anything. */
function nextMeter(
  mitigation: Mitigation,
  counters: Counters | undefined,
  previous: MitigationReport | undefined,
  now: EpochSeconds,
): Meter | undefined {
  const stored = previous === undefined ? undefined : fromJson(previous.refs);
  const startedAt = mitigation.startedAt ?? stored?.startedAt ?? now;
  // Triggered anew: its count starts over.
  const meter = stored?.startedAt === startedAt ? stored : undefined;
  return counters === undefined ? meter : readMeter(meter ?? startMeter(startedAt, now), counters, now);
}

function metered(
  meter: Meter,
): Pick<MitigationReport, 'counters' | 'bytesPerSecondDropped' | 'packetsPerSecondDropped'> {
  const { bytesPerSecond, packetsPerSecond } = averagesOf(meter);
  return {
    counters: totalsOf(meter),
    bytesPerSecondDropped: bytesPerSecond,
    packetsPerSecondDropped: packetsPerSecond,
  };
}

type JsonCounters = readonly [bytes: string, packets: string];

interface JsonMeter {
  readonly startedAt: number;
  readonly readAt: number;
  readonly risenAt: number;
  readonly base: JsonCounters;
  readonly device: JsonCounters;
  readonly bucketed: JsonCounters;
}

function toJson({ startedAt, readAt, risenAt, base, device, bucketed }: Meter): JsonMeter {
  const text = ({ bytesDropped, packetsDropped }: Counters): JsonCounters => [
    bytesDropped.toString(),
    packetsDropped.toString(),
  ];
  return { startedAt, readAt, risenAt, base: text(base), device: text(device), bucketed: text(bucketed) };
}

/** Refs may be lost at any time: without a meter the count goes on from what the device says. */
function fromJson(refs: unknown): Meter | undefined {
  const meter = (refs as { readonly meter?: JsonMeter } | undefined)?.meter;
  if (meter === undefined) return undefined;
  const { startedAt, readAt, risenAt } = meter;
  const read = ([bytes, packets]: JsonCounters): Counters => ({
    bytesDropped: BigInt(bytes),
    packetsDropped: BigInt(packets),
  });
  return {
    startedAt,
    readAt,
    risenAt,
    base: read(meter.base),
    device: read(meter.device),
    bucketed: read(meter.bucketed),
  };
}

/** Without the time; of the meter, only that it is kept at least once per bucket. */
function comparable(report: MitigationReport): string {
  const { readAt = 0 } = (report.refs as { readonly meter?: JsonMeter } | undefined)?.meter ?? {};
  const visible = {
    ...report,
    updatedAt: 0,
    refs: { driver: driverRefs(report), bucket: Math.floor(readAt / BUCKET_SECONDS) },
  };
  return JSON.stringify(visible, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
