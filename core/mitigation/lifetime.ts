/** Lifetimes of mitigations (RFC 9132 §4.4.1.1, §4.4.4), in seconds of the wall clock. */
import type { Result } from '../base/result.ts';
import { fail, ok } from '../base/result.ts';
import type { EpochSeconds } from '../base/time.ts';
import type { DomainPolicy } from '../model/domain.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Refusal } from './answer.ts';

/** "A lifetime of negative one (-1) indicates indefinite lifetime". */
export const UNLIMITED = -1;

const LONGEST_LIFETIME = 2_147_483_647;

/** "The RECOMMENDED lifetime of a mitigation request is 3600 seconds": stands in where an unlimited one has to end. */
export const RECOMMENDED_LIFETIME_SECONDS = 3600;

/** A tombstone and a notice are kept at least this long, so that every observer can see them. */
export const TOMBSTONE_GRACE_SECONDS = 60;

/** The lifetime that policy grants for the one asked, or 4.00: "A lifetime of '0' … is an invalid value". */
export function grantLifetime(asked: number, policy: DomainPolicy): Result<number, Refusal> {
  const possible = Number.isInteger(asked) && asked <= LONGEST_LIFETIME && (asked > 0 || asked === UNLIMITED);
  if (!possible) {
    return fail({
      code: 'invalid',
      field: 'lifetime',
      why: 'must be -1 (unlimited) or 1 to 2147483647 seconds',
      section: 'RFC 9132 §4.4.1.1',
    });
  }
  // "The DOTS server MAY refuse an indefinite lifetime, for policy reasons; the granted lifetime value is returned".
  const longest = policy.maxLifetimeSeconds;
  if (longest === UNLIMITED) return ok(asked);
  return ok(asked === UNLIMITED ? longest : Math.min(asked, longest));
}

export function endOfLifetime(lifetimeSeconds: number, now: EpochSeconds): EpochSeconds | undefined {
  return lifetimeSeconds === UNLIMITED ? undefined : now + lifetimeSeconds;
}

/** Seconds left, -1 when unlimited; while terminating, of that period (D10); none of what is over (status 6). */
export function remainingLifetime(mitigation: Mitigation, now: EpochSeconds): number {
  if (mitigation.removedAt !== undefined) return 0;
  return mitigation.expiresAt === undefined ? UNLIMITED : Math.max(0, mitigation.expiresAt - now);
}

/** When the sweeper has to look at the record; undefined for an unlimited one. */
export function dueAt(mitigation: Mitigation): EpochSeconds | undefined {
  return mitigation.removedAt === undefined
    ? mitigation.expiresAt
    : mitigation.removedAt + TOMBSTONE_GRACE_SECONDS;
}

/** False for tombstones and for what has run out, swept or not: to the client both are gone (GET answers 4.04). */
export function isAvailable(mitigation: Mitigation, now: EpochSeconds): boolean {
  const expired = mitigation.expiresAt !== undefined && mitigation.expiresAt <= now;
  return mitigation.removedAt === undefined && !expired;
}

/**
 * The next terminating period. RFC 9132 §4.4.4: "the DOTS server MAY exponentially increase (the base of the exponent
 * is 2) the active-but-terminating period up to a maximum of 300 seconds".
 */
export function doubledTerminatingPeriod(seconds: number, policy: DomainPolicy): number {
  return Math.max(seconds, Math.min(2 * seconds, policy.maxTerminatingSeconds));
}
