/** Records as JSON text, and the times at which the sweeper has to look at them: the same in every store. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Alias } from '#core/model/alias.ts';
import type { Mitigation, MitigationReport } from '#core/model/mitigation.ts';

/** How long a tombstone is kept for observers and mitigators (notices need at least 60 s). */
export const TOMBSTONE_GRACE_SECONDS = 60;

/** When the sweeper has to look at a mitigation; undefined: never by itself. */
export function dueAt(mitigation: Mitigation): EpochSeconds | undefined {
  return mitigation.removedAt === undefined
    ? mitigation.expiresAt
    : mitigation.removedAt + TOMBSTONE_GRACE_SECONDS;
}

/** False once its lifetime has run out. */
export function isCurrent(alias: Alias, now: EpochSeconds): boolean {
  return alias.expiresAt === undefined || alias.expiresAt > now;
}

/** Report as JSON; uint64 are decimal strings. */
export function formatReport(report: MitigationReport): string {
  const { counters, bytesPerSecondDropped, packetsPerSecondDropped, ...rest } = report;
  return JSON.stringify({
    ...rest,
    ...(counters && {
      counters: {
        bytesDropped: counters.bytesDropped.toString(),
        packetsDropped: counters.packetsDropped.toString(),
      },
    }),
    ...(bytesPerSecondDropped !== undefined && { bytesPerSecondDropped: bytesPerSecondDropped.toString() }),
    ...(packetsPerSecondDropped !== undefined && {
      packetsPerSecondDropped: packetsPerSecondDropped.toString(),
    }),
  });
}

type ReportText = Omit<MitigationReport, 'counters' | 'bytesPerSecondDropped' | 'packetsPerSecondDropped'> & {
  readonly counters?: { readonly bytesDropped: string; readonly packetsDropped: string };
  readonly bytesPerSecondDropped?: string;
  readonly packetsPerSecondDropped?: string;
};

/** The report that `formatReport` wrote. */
export function parseReport(text: string): MitigationReport {
  const { counters, bytesPerSecondDropped, packetsPerSecondDropped, ...rest } = JSON.parse(
    text,
  ) as ReportText;
  return {
    ...rest,
    ...(counters && {
      counters: {
        bytesDropped: BigInt(counters.bytesDropped),
        packetsDropped: BigInt(counters.packetsDropped),
      },
    }),
    ...(bytesPerSecondDropped !== undefined && { bytesPerSecondDropped: BigInt(bytesPerSecondDropped) }),
    ...(packetsPerSecondDropped !== undefined && {
      packetsPerSecondDropped: BigInt(packetsPerSecondDropped),
    }),
  };
}
