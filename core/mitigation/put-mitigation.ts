/** PUT mitigate: create, refresh, override or take up again (RFC 9132 §4.4.1). */
import type { EpochSeconds } from '../base/time.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Target } from '../model/scope.ts';
import { admit } from './admission.ts';
import type { PutCommand } from './command.ts';
import { CUID_COLLISION } from './conflict.ts';
import { type Proposal, refuse } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { expandTargets, type ResolvedNames } from './expand-targets.ts';
import { doubledTerminatingPeriod, endOfLifetime, grantLifetime, isAvailable } from './lifetime.ts';
import { refreshMitigation } from './refresh.ts';
import { isOthersCuid } from './requester.ts';
import { changedParameter } from './same-request.ts';
import { initialStatus, transition } from './transitions.ts';

/** When near capacity a client is told to come back after this many seconds (D20). */
const CAPACITY_RETRY_SECONDS = 30;

export function putMitigation(
  view: DomainView,
  command: PutCommand,
  resolved: ResolvedNames,
  now: EpochSeconds,
): Proposal {
  const { requester, mid, scope, triggerMitigation } = command;
  const { policy } = view.domain;
  const granted = grantLifetime(command.lifetimeSeconds, policy);
  if (!granted.ok) return refuse(granted.error);
  const lifetimeSeconds = granted.value;
  if (isOthersCuid(view, requester)) return refuse({ code: 'conflict', conflict: CUID_COLLISION });

  const stored = view.record(requester.cuid, mid);
  const existing = stored !== undefined && isAvailable(stored, now) ? stored : undefined;
  if (existing !== undefined && existing.status !== 'activeButTerminating') {
    return refreshMitigation(view, existing, { scope, triggerMitigation, lifetimeSeconds }, now);
  }

  const expanded = expandTargets(view, requester.cuid, scope, resolved, now);
  if (!expanded.ok) return refuse(expanded.error);
  const fresh = newMitigation(view, command, lifetimeSeconds, expanded.value, now, stored);
  const candidate = existing === undefined ? fresh : takenUpAgain(existing, fresh, now);
  const admission = admit(view, candidate, now, { againstOthers: true });
  if (!admission.ok) return refuse(admission.error);

  const { writes, conflict, takenOverSeconds } = admission.value;
  const isOneMore =
    existing === undefined && !writes.some((mitigation) => mitigation.removedAt !== undefined);
  if (isOneMore && view.liveCount >= policy.maxMitigations) {
    const why = `the domain has ${view.liveCount} of ${policy.maxMitigations} mitigations`;
    return refuse({ code: 'unavailable', why, retryAfterSeconds: CAPACITY_RETRY_SECONDS });
  }

  const interrupted = Math.max(takenOverSeconds ?? 0, existing?.terminatingSeconds ?? 0);
  const mitigation: Mitigation = {
    ...candidate,
    ...(conflict === undefined ? {} : { conflict }),
    ...(interrupted === 0 ? {} : { terminatingSeconds: doubledTerminatingPeriod(interrupted, policy) }),
  };
  const told = conflict === undefined ? {} : { conflict };
  return {
    answer: { result: 'created', mid, lifetimeSeconds, ...told },
    writes: [mitigation, ...writes],
  };
}

/** `previous` is a tombstone or run out: the record starts over, its sequence of notices does not. */
function newMitigation(
  view: DomainView,
  command: PutCommand,
  lifetimeSeconds: number,
  targets: readonly Target[],
  now: EpochSeconds,
  previous: Mitigation | undefined,
): Mitigation {
  const { requester, mid, scope, triggerMitigation } = command;
  const expiresAt = endOfLifetime(lifetimeSeconds, now);
  return {
    domainId: view.domain.id,
    cuid: requester.cuid,
    mid,
    identityId: requester.identityId,
    ...(requester.cdid === undefined ? {} : { cdid: requester.cdid }),
    source: requester.source,
    scope,
    targets,
    triggerMitigation,
    lifetimeSeconds,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    status: initialStatus(triggerMitigation),
    ...(triggerMitigation ? { startedAt: now } : {}),
    terminatingSeconds: view.domain.policy.terminatingSeconds,
    desired: triggerMitigation ? 'present' : 'absent',
    generation: 0,
    notices: previous?.notices ?? [],
    sv: view.sv,
  };
}

/**
 * PUT within the terminating period (D11): the mitigation goes on without a gap when it is asked for at once, and waits
 * for a lost session when it is preconfigured.
 */
function takenUpAgain(existing: Mitigation, fresh: Mitigation, now: EpochSeconds): Mitigation {
  const type = fresh.triggerMitigation ? 'requestedAgain' : 'armedAgain';
  const again = transition(existing, { type }, now);
  const { status, desired, notices } = again;
  const goesOn = status === 'inProgress' && changedParameter(existing, fresh) === undefined;
  return {
    ...fresh,
    status,
    desired,
    notices,
    ...(goesOn && again.startedAt !== undefined ? { startedAt: again.startedAt } : {}),
  };
}
