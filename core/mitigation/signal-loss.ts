/**
 * The session of a client is lost: its preconfigured requests become active and take precedence over its immediate ones
 * (RFC 9132 §4.4.1.3, §4.7). Its recovery changes nothing (§4.4.4).
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { SignalLostCommand } from './command.ts';
import { settleForeignOverlap } from './conflict.ts';
import type { Proposal } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { footprintOf, holderOf } from './footprint.ts';
import { isAvailable, RECOMMENDED_LIFETIME_SECONDS } from './lifetime.ts';
import { isClient } from './requester.ts';
import { transition } from './transitions.ts';

export function signalLost(view: DomainView, command: SignalLostCommand, now: EpochSeconds): Proposal {
  const { requester } = command;
  const changed = new Map<string, Mitigation>();
  const write = (mitigation: Mitigation): unknown => changed.set(holderOf(mitigation), mitigation);
  const waiting = view
    .preconfigured(requester.cuid)
    .filter((each) => each.status === 'signalLoss' && isAvailable(each, now) && isClient(each, requester));
  for (const preconfigured of waiting) {
    const candidate = transition(preconfigured, { type: 'signalLost' }, now);
    const active = view
      .overlapping(footprintOf(candidate))
      .filter((other) => other.status === 'inProgress' && isAvailable(other, now));
    const rivals = active.filter((other) => other.cuid !== candidate.cuid);
    const settled = settleForeignOverlap(view, candidate, rivals, now);
    if (!settled.active) {
      write({ ...preconfigured, conflict: settled.conflict });
      continue;
    }
    write(settled.conflict === undefined ? candidate : { ...candidate, conflict: settled.conflict });
    settled.writes.forEach(write);
    for (const own of active) {
      if (own.cuid === candidate.cuid) write(withdrawnByServer(own, now));
    }
  }
  return { answer: { result: 'done' }, writes: [...changed.values()] };
}

/**
 * "the active-but-terminating period is not observed for mitigations withdrawn at the initiative of the DOTS server".
 * The record tells status 7 until its lifetime ends or its client decides.
 */
function withdrawnByServer(mitigation: Mitigation, now: EpochSeconds): Mitigation {
  const keptUntil = mitigation.expiresAt ?? now + RECOMMENDED_LIFETIME_SECONDS;
  return transition(mitigation, { type: 'deactivated', keptUntil }, now);
}
