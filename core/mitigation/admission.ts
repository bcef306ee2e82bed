/**
 * May this request stand beside what is there? Order among the requests of one client is by mid, the relation to other
 * clients by policy (RFC 9132 §4.4.1.3).
 */
import type { Result } from '../base/result.ts';
import { fail, ok } from '../base/result.ts';
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Refusal } from './answer.ts';
import { settleForeignOverlap } from './conflict.ts';
import type { DomainView } from './domain-view.ts';
import { footprintOf } from './footprint.ts';
import { isAvailable } from './lifetime.ts';
import { transition } from './transitions.ts';

export interface Admission {
  /** The other records that change with it. */
  readonly writes: readonly Mitigation[];
  readonly conflict?: ConflictInformation;
  /** The longest terminating period of the withdrawn requests that this one takes over, in seconds. */
  readonly takenOverSeconds?: number;
}

export interface AdmissionOptions {
  /** Overlap with other clients was settled when the request became active; false for a refresh. */
  readonly againstOthers: boolean;
  /** It has lost a conflict before. */
  readonly yielding?: boolean;
}

export function admit(
  view: DomainView,
  candidate: Mitigation,
  now: EpochSeconds,
  options: AdmissionOptions,
): Result<Admission, Refusal> {
  const becomesActive = candidate.status === 'inProgress';
  const others = view
    .overlapping(footprintOf(candidate))
    .filter((other) => isAvailable(other, now) && !isSame(other, candidate));
  const own = others.filter((other) => other.cuid === candidate.cuid);

  const sameTrigger = own.filter(
    (other) =>
      other.triggerMitigation === candidate.triggerMitigation && other.status !== 'activeButTerminating',
  );
  const highest = sameTrigger.at(-1);
  if (highest !== undefined && highest.mid > candidate.mid) return fail(overlapsHigherMid(highest));

  // "the overlapped lower numeric 'mid' MUST be automatically deleted and no longer available at the DOTS server".
  const writes = sameTrigger.map((other) => transition(other, { type: 'overridden' }, now));
  if (!becomesActive) return ok({ writes });

  // What the client has withdrawn goes on under the new request instead of running out beside it.
  const terminating = own.filter((other) => other.status === 'activeButTerminating');
  writes.push(...terminating.map((other) => transition(other, { type: 'overridden' }, now)));

  // "the DOTS server SHOULD deactivate … the mitigation request with 'trigger-mitigation' set to 'false'".
  if (candidate.triggerMitigation) {
    const active = own.filter((other) => !other.triggerMitigation && other.status === 'inProgress');
    writes.push(...active.map((other) => transition(other, { type: 'yielded' }, now)));
  }
  const takenOver = terminating.map((other) => other.terminatingSeconds);
  const inherited = takenOver.length === 0 ? {} : { takenOverSeconds: Math.max(...takenOver) };
  if (!options.againstOthers) return ok({ writes, ...inherited });

  const rivals = others.filter((other) => other.cuid !== candidate.cuid && other.status === 'inProgress');
  const settled = settleForeignOverlap(view, candidate, rivals, now, options.yielding);
  if (!settled.active) return fail({ code: 'conflict', conflict: settled.conflict });
  const told = settled.conflict === undefined ? {} : { conflict: settled.conflict };
  return ok({ writes: [...writes, ...settled.writes], ...inherited, ...told });
}

/** "the DOTS server rejects the request by returning 4.09 (Conflict)", with cause 1 and the mid in the way. */
function overlapsHigherMid(existing: Mitigation): Refusal {
  return {
    code: 'conflict',
    conflict: { cause: 'overlappingTargets', scope: { mid: existing.mid } },
  };
}

function isSame(left: Mitigation, right: Mitigation): boolean {
  return left.cuid === right.cuid && left.mid === right.mid;
}
