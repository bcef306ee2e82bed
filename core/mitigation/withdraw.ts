/**
 * DELETE mitigate. RFC 9132 §4.4.4: "A 2.02 (Deleted) Response Code is returned even if the 'mid' parameter value …
 * does not exist"; what is active goes on for the terminating period.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { DeleteCommand } from './command.ts';
import type { Proposal } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { isAvailable } from './lifetime.ts';
import { ownRecord } from './requester.ts';
import { transition } from './transitions.ts';

export function withdraw(view: DomainView, command: DeleteCommand, now: EpochSeconds): Proposal {
  const existing = ownRecord(view, command.requester, command.mid);
  const ends =
    existing !== undefined && isAvailable(existing, now) && existing.status !== 'activeButTerminating';
  const writes = ends ? [transition(existing, { type: 'clientWithdraws' }, now)] : [];
  return { answer: { result: 'deleted' }, writes };
}
