/** Conflict information of RFC 9132 §4.4.1.3, by name; numbers are the wire's. */
import type { Mid } from './identifiers.ts';
import type { PortRange } from './scope.ts';

export const CONFLICT_STATUS_NUMBER = { inactive: 1, active: 2, allInactive: 3 } as const;
export type ConflictStatus = keyof typeof CONFLICT_STATUS_NUMBER;

export const CONFLICT_CAUSE_NUMBER = {
  overlappingTargets: 1,
  conflictWithAcceptlist: 2,
  cuidCollision: 3,
} as const;
export type ConflictCause = keyof typeof CONFLICT_CAUSE_NUMBER;

export interface ConflictScope {
  readonly targetPrefixes?: readonly string[];
  readonly targetPortRanges?: readonly PortRange[];
  readonly targetProtocols?: readonly number[];
  readonly targetFqdns?: readonly string[];
  readonly targetUris?: readonly string[];
  readonly aliasNames?: readonly string[];
  readonly aclNames?: readonly string[];
  /** Only of the client's own requests: another client's mid is never shown (S-147). */
  readonly mid?: Mid;
}

export interface ConflictInformation {
  readonly status?: ConflictStatus;
  readonly cause: ConflictCause;
  readonly retryTimerSeconds?: number;
  readonly scope?: ConflictScope;
}
