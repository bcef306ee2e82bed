/**
 * Overlap with requests of other clients of the same domain (RFC 9132 §4.4.1.3, §4.4.2.1). Between domains there is
 * none: a prefix has exactly one owner. "this policy is supplied by the DOTS server administrator".
 */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { DomainView } from './domain-view.ts';
import { footprintOf, holderOf } from './footprint.ts';
import { isAvailable, RECOMMENDED_LIFETIME_SECONDS, remainingLifetime, UNLIMITED } from './lifetime.ts';
import { overlaps, sharedScope } from './overlap.ts';
import { transition } from './transitions.ts';
import { without } from './without.ts';

/** RFC 9132 §4.4.1.3: the lifetime of a deactivated request becomes "'retry-timer + 45 seconds'". */
const RETRY_MARGIN_SECONDS = 45;

/** "Note that 'conflict-status', 'conflict-scope', and 'retry-timer' MUST NOT be returned in the error response." */
export const CUID_COLLISION: ConflictInformation = { cause: 'cuidCollision' };

export type ForeignOverlap =
  /** The candidate is active; `conflict` tells its client, `writes` are the others as they become. */
  | { readonly active: true; readonly conflict?: ConflictInformation; readonly writes: readonly Mitigation[] }
  | { readonly active: false; readonly conflict: ConflictInformation };

/**
 * What becomes of a candidate that overlaps with `others`, active requests of other clients. `yielding` is for one that
 * has lost a conflict before: it comes back only when the conflict is over, whatever the policy for new ones.
 */
export function settleForeignOverlap(
  view: DomainView,
  candidate: Mitigation,
  others: readonly Mitigation[],
  now: EpochSeconds,
  yielding = false,
): ForeignOverlap {
  if (others.length === 0) return { active: true, writes: [] };
  const conflict: ConflictInformation = {
    status: 'active',
    cause: 'overlappingTargets',
    scope: sharedScope(candidate, others),
  };
  const policy = yielding ? 'reject-new' : view.domain.policy.conflictPolicy;
  switch (policy) {
    case 'accept-both': {
      const untold = others.filter((other) => other.conflict === undefined);
      const told = untold.map((other) => ({
        ...other,
        conflict: { ...conflict, scope: sharedScope(other, [candidate]) },
      }));
      return { active: true, conflict, writes: told };
    }
    case 'replace-old':
      return {
        active: true,
        conflict,
        writes: others.map((other) => deactivate(other, candidate, now)),
      };
    case 'reject-new':
      return { active: false, conflict: { ...conflict, status: 'inactive', ...retryTimer(others, now) } };
  }
}

/** The loser is kept for retry-timer + 45 s, so that its client can ask again; a preconfigured one waits again. */
function deactivate(loser: Mitigation, winner: Mitigation, now: EpochSeconds): Mitigation {
  const conflict: ConflictInformation = {
    status: 'inactive',
    cause: 'overlappingTargets',
    scope: sharedScope(loser, [winner]),
    ...retryTimer([winner], now),
  };
  if (!loser.triggerMitigation) return transition(loser, { type: 'yielded', conflict }, now);
  const keptUntil = now + (conflict.retryTimerSeconds ?? 0) + RETRY_MARGIN_SECONDS;
  return transition(loser, { type: 'deactivated', conflict, keptUntil }, now);
}

/** "The 'retry-timer' SHOULD be equal to the lifetime of the active mitigation request". */
function retryTimer(winners: readonly Mitigation[], now: EpochSeconds): { retryTimerSeconds: number } {
  const seconds = winners.map((winner) => remainingLifetime(winner, now));
  return {
    retryTimerSeconds: seconds.includes(UNLIMITED) ? RECOMMENDED_LIFETIME_SECONDS : Math.max(...seconds),
  };
}

/** The same loser again, still losing: a new retry-timer and the record kept accordingly. */
export function keepDeactivated(
  loser: Mitigation,
  conflict: ConflictInformation,
  now: EpochSeconds,
): Mitigation {
  return { ...loser, conflict, expiresAt: now + (conflict.retryTimerSeconds ?? 0) + RETRY_MARGIN_SECONDS };
}

/** Conflict information as it is true at `now`: retry-timer counts down with the record (S-152). */
export function visibleConflict(mitigation: Mitigation, now: EpochSeconds): ConflictInformation | undefined {
  const { conflict } = mitigation;
  if (conflict?.retryTimerSeconds === undefined || mitigation.status !== 'withdrawn') return conflict;
  const left = remainingLifetime(mitigation, now) - RETRY_MARGIN_SECONDS;
  return { ...conflict, retryTimerSeconds: Math.max(0, left) };
}

/** Active requests of other clients that overlap with the mitigation. */
export function activeForeignOverlaps(
  view: DomainView,
  mitigation: Mitigation,
  now: EpochSeconds,
): Mitigation[] {
  return rivals(view, mitigation, now).filter((other) => other.status === 'inProgress');
}

/** False once nobody is left that an active request's conflict information could speak of. */
export function isStillInConflict(view: DomainView, mitigation: Mitigation, now: EpochSeconds): boolean {
  return rivals(view, mitigation, now).length > 0;
}

/**
 * Requests whose conflict is over because of `writes`: for each record that leaves a conflict, those that overlapped
 * with it and have no other rival lose their conflict information.
 */
export function releaseConflicts(
  view: DomainView,
  writes: readonly Mitigation[],
  now: EpochSeconds,
): Mitigation[] {
  const written = new Map(writes.map((mitigation) => [holderOf(mitigation), mitigation]));
  const released = new Map<string, Mitigation>();
  for (const mitigation of writes) {
    const before = view.record(mitigation.cuid, mitigation.mid);
    if (before?.conflict === undefined || !isRival(before) || isRival(mitigation)) continue;
    for (const other of activeForeignOverlaps(view, before, now)) {
      const holder = holderOf(other);
      if (other.conflict === undefined || written.has(holder) || released.has(holder)) continue;
      const untouched = rivals(view, other, now).filter((rival) => !written.has(holderOf(rival)));
      const arriving = writes.filter((each) => each.cuid !== other.cuid && isRival(each));
      if (untouched.length > 0 || arriving.some((each) => overlaps(each, other))) continue;
      released.set(holder, without(other, 'conflict'));
    }
  }
  return [...released.values()];
}

function rivals(view: DomainView, mitigation: Mitigation, now: EpochSeconds): Mitigation[] {
  return view
    .overlapping(footprintOf(mitigation))
    .filter((other) => other.cuid !== mitigation.cuid && isRival(other) && isAvailable(other, now));
}

/** Takes part in conflicts: active, or deactivated by one. */
function isRival(mitigation: Mitigation): boolean {
  const { status, conflict } = mitigation;
  return status === 'inProgress' || (status === 'withdrawn' && conflict !== undefined);
}
