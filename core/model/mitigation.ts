/** One mitigation as the store keeps it, and what its mitigators report of it. */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from './conflict.ts';
import type { Cdid, Cuid, DomainId, IdentityId, Mid } from './identifiers.ts';
import type { MitigationScope, Target } from './scope.ts';
import type { AttackStatus, Status } from './status.ts';

/** D18: records are keyed by (domain, cuid, mid). */
export interface MitigationKey {
  readonly domainId: DomainId;
  readonly cuid: Cuid;
  readonly mid: Mid;
}

/**
 * Something every observer has to see even if the state has moved on: status 7 four times before 8, status 6 once.
 * Kept for at least 60 seconds, also on a tombstone.
 */
export interface Notice {
  /** Grows by one per notice of this mitigation. */
  readonly sequence: number;
  readonly status: Status;
  readonly conflict?: ConflictInformation;
  /** How often it is sent, at least 3 seconds apart. */
  readonly repeat: number;
  readonly at: EpochSeconds;
}

/** Who asked; a client sees only what it created (RFC 9132 §3). */
export type MitigationSource = 'client' | 'alarm' | 'operator' | 'loss-of-signal';

export interface Mitigation extends MitigationKey {
  readonly identityId: IdentityId;
  readonly cdid?: Cdid;
  readonly source: MitigationSource;
  readonly scope: MitigationScope;
  /** Expanded, resolved, masked: what mitigators act on and what overlap is judged by. */
  readonly targets: readonly Target[];
  readonly triggerMitigation: boolean;
  /** As granted; -1 is unlimited. */
  readonly lifetimeSeconds: number;
  /** When the record is due: end of lifetime, or of the terminating period. Absent: unlimited. */
  readonly expiresAt?: EpochSeconds;
  /**
   * The lifecycle's own status. `inProgress` covers what the client may see as 1, 2, 3 or 4: which of them is told by
   * the reports (`core/mitigation/visible-status.ts`).
   */
  readonly status: Status;
  readonly startedAt?: EpochSeconds;
  readonly conflict?: ConflictInformation;
  /** Last efficacy update. */
  readonly attackStatus?: AttackStatus;
  /** The period used when the client withdraws: doubles on each repeat up to the policy's ceiling. */
  readonly terminatingSeconds: number;
  /** What the mitigators have to bring about; `generation` grows whenever `desired` or `targets` change. */
  readonly desired: 'present' | 'absent';
  readonly generation: number;
  readonly notices: readonly Notice[];
  /** The domain's version at which this record last changed. */
  readonly sv: number;
  /** A tombstone: gone for the client (GET answers 4.04), kept for observers and mitigators until this time plus grace. */
  readonly removedAt?: EpochSeconds;
}

/** Cumulative since the mitigation was triggered, wrapping at 2^64-1 (S-179). */
export interface Counters {
  readonly bytesDropped: bigint;
  readonly packetsDropped: bigint;
}

/** `active` only with proof from the mitigator: route best and peer established, rule loaded, operator's word. */
export type ReportState = 'pending' | 'active' | 'stopped' | 'refused' | 'failed' | 'removed';

/** What one mitigator says of one mitigation. An item of its own: it never touches the domain's lock. */
export interface MitigationReport extends MitigationKey {
  readonly mitigator: string;
  /** Of the mitigation that was acted on; a report of an older generation is not written. */
  readonly generation: number;
  readonly state: ReportState;
  /** Wider (a blackhole takes every port) or narrower than what was asked; canonical prefixes. */
  readonly actualTargets: readonly Target[];
  readonly counters?: Counters;
  /** Averages since the trigger over five-minute buckets (S-180, S-181), per second. */
  readonly bytesPerSecondDropped?: bigint;
  readonly packetsPerSecondDropped?: bigint;
  /** Driver's own state, opaque to everyone else; may be lost at any time. */
  readonly refs?: unknown;
  readonly reason?: string;
  readonly updatedAt: EpochSeconds;
}
