/**
 * The attack on a loss-triggered mitigation is over. RFC 9132 Table 3, status 3: "For mitigation requests with
 * preconfigured scopes …, this status code will be transmitted four times and then transition to '8'." An immediate one
 * keeps status 3 until its client withdraws it or its lifetime ends.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { AttackStoppedCommand } from './command.ts';
import type { Proposal } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { isAvailable } from './lifetime.ts';
import { transition } from './transitions.ts';

export function attackStopped(view: DomainView, command: AttackStoppedCommand, now: EpochSeconds): Proposal {
  const existing = view.record(command.cuid, command.mid);
  const ends =
    existing?.status === 'inProgress' &&
    !existing.triggerMitigation &&
    existing.generation === command.generation &&
    isAvailable(existing, now);
  return {
    answer: { result: 'done' },
    writes: ends ? [transition(existing, { type: 'attackStopped' }, now)] : [],
  };
}
