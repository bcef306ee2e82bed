/**
 * What the client is told: the lifecycle's status, and while the mitigation is wanted what its mitigators have proven
 * (RFC 9132 §4.4.2, Table 3).
 */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mitigation, MitigationReport } from '../model/mitigation.ts';
import type { Status } from '../model/status.ts';
import { visibleConflict } from './conflict.ts';

export interface VisibleStatus {
  readonly status: Status;
  /** As of now: retry-timer is what is left of it. */
  readonly conflict?: ConflictInformation;
  /** Absent when no mitigator counts. Totals since the trigger. */
  readonly bytesDropped?: bigint;
  readonly pktsDropped?: bigint;
  /** Per second, averaged over five-minute buckets. */
  readonly bpsDropped?: bigint;
  readonly ppsDropped?: bigint;
}

/** `reports` may be of any generation; only those of the current one count. */
export function visibleStatus(
  mitigation: Mitigation,
  reports: readonly MitigationReport[],
  now: EpochSeconds,
): VisibleStatus {
  const current = reports.filter((report) => report.generation === mitigation.generation);
  const conflict = visibleConflict(mitigation, now);
  return {
    status: mitigation.status === 'inProgress' ? provenStatus(current) : mitigation.status,
    ...(conflict === undefined ? {} : { conflict }),
    ...summed('bytesDropped', current, (report) => report.counters?.bytesDropped),
    ...summed('pktsDropped', current, (report) => report.counters?.packetsDropped),
    ...summed('bpsDropped', current, (report) => report.bytesPerSecondDropped),
    ...summed('ppsDropped', current, (report) => report.packetsPerSecondDropped),
  };
}

/** 2 when at least one mitigator has proof; 4 when every one has given up; 3 when none has anything left to drop. */
function provenStatus(reports: readonly MitigationReport[]): Status {
  const has = (state: MitigationReport['state']): boolean => reports.some((report) => report.state === state);
  if (has('active')) return 'mitigated';
  if (has('pending')) return 'inProgress';
  if (has('stopped')) return 'stopped';
  return has('refused') || has('failed') ? 'exceededCapability' : 'inProgress';
}

function summed<Name extends string>(
  name: Name,
  reports: readonly MitigationReport[],
  valueOf: (report: MitigationReport) => bigint | undefined,
): { readonly [name in Name]?: bigint } {
  const values = reports.map(valueOf).filter((value) => value !== undefined);
  if (values.length === 0) return {};
  // S-179: totals wrap at 2^64-1.
  const total = values.reduce((sum, value) => sum + value, 0n);
  return { [name]: BigInt.asUintN(64, total) } as { readonly [name in Name]?: bigint };
}
