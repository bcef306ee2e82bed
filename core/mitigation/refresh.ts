/**
 * The same request again. RFC 9132 §4.4.1.3: "the DOTS server MAY update the mitigation request by setting the remaining
 * lifetime to the newly negotiated lifetime, and a 2.04 (Changed) response is returned".
 */
import type { EpochSeconds } from '../base/time.ts';
import { parseIpPrefix } from '../model/ip-prefix.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { MitigationScope } from '../model/scope.ts';
import type { AttackStatus } from '../model/status.ts';
import { admit } from './admission.ts';
import type { Refusal } from './answer.ts';
import { isStillInConflict, keepDeactivated, visibleConflict } from './conflict.ts';
import { type Proposal, refuse } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { endOfLifetime } from './lifetime.ts';
import { refusePrefix } from './ownership.ts';
import { changedParameter } from './same-request.ts';
import { transition } from './transitions.ts';
import { without } from './without.ts';

export interface Repeated {
  readonly scope: MitigationScope;
  readonly triggerMitigation: boolean;
  /** As granted. */
  readonly lifetimeSeconds: number;
  readonly attackStatus?: AttackStatus;
}

/** `existing` is available and not terminating. Its targets stay as they were checked: a refresh asks nobody else. */
export function refreshMitigation(
  view: DomainView,
  existing: Mitigation,
  asked: Repeated,
  now: EpochSeconds,
): Proposal {
  const field = changedParameter(existing, asked);
  if (field !== undefined) return refuse({ code: 'changed-parameters', field });
  const lost = noLongerOwned(view, existing);
  if (lost !== undefined) return refuse(lost);
  if (existing.status === 'withdrawn') return reinstate(view, existing, asked, now);

  // Normally nothing is left to override; what a crash between two commits left is finished here.
  const admission = admit(view, existing, now, { againstOthers: false });
  if (!admission.ok) return refuse(admission.error);
  const mitigation = renewed(existing, asked, now);
  const conflictIsOver = mitigation.conflict !== undefined && !isStillInConflict(view, existing, now);
  return changed(conflictIsOver ? without(mitigation, 'conflict') : mitigation, admission.value.writes);
}

/** A request that the server has withdrawn comes back when its retry-timer is over and nobody is in its way. */
function reinstate(view: DomainView, existing: Mitigation, asked: Repeated, now: EpochSeconds): Proposal {
  const lostConflict = visibleConflict(existing, now);
  if (lostConflict !== undefined && (lostConflict.retryTimerSeconds ?? 0) > 0) {
    return refuse({ code: 'conflict', conflict: lostConflict });
  }
  const candidate = transition(renewed(existing, asked, now), { type: 'requestedAgain' }, now);
  const yielding = lostConflict !== undefined;
  const admission = admit(view, candidate, now, { againstOthers: true, yielding });
  if (admission.ok) {
    const { conflict, writes } = admission.value;
    return changed(conflict === undefined ? candidate : { ...candidate, conflict }, writes);
  }
  const refusal = admission.error;
  const stillLosing = refusal.code === 'conflict' && refusal.conflict.status === 'inactive';
  return refuse(refusal, stillLosing ? [keepDeactivated(existing, refusal.conflict, now)] : []);
}

function renewed(existing: Mitigation, asked: Repeated, now: EpochSeconds): Mitigation {
  const expiresAt = endOfLifetime(asked.lifetimeSeconds, now);
  return {
    ...without(existing, 'expiresAt'),
    lifetimeSeconds: asked.lifetimeSeconds,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(asked.attackStatus === undefined ? {} : { attackStatus: asked.attackStatus }),
  };
}

/** The registry may have changed since: nothing beyond the domain's own resources is kept alive (RFC 9132 §11). */
function noLongerOwned(view: DomainView, existing: Mitigation): Refusal | undefined {
  for (const { prefix: text } of existing.targets) {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) throw new Error(`a stored target is not a prefix: ${text}`);
    const refusal = refusePrefix(view.owned, prefix, 'target-prefix');
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function changed(mitigation: Mitigation, others: readonly Mitigation[]): Proposal {
  const { mid, lifetimeSeconds, conflict } = mitigation;
  const told = conflict === undefined ? {} : { conflict };
  return { answer: { result: 'changed', mid, lifetimeSeconds, ...told }, writes: [mitigation, ...others] };
}
