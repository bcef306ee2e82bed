/** PUT with attack-status or an empty If-Match: what the client sees of the attack (RFC 9132 §4.4.3). */
import type { EpochSeconds } from '../base/time.ts';
import type { EfficacyCommand } from './command.ts';
import { type Proposal, refuse } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { grantLifetime, isAvailable } from './lifetime.ts';
import { refreshMitigation } from './refresh.ts';
import { ownRecord } from './requester.ts';

export function efficacyUpdate(view: DomainView, command: EfficacyCommand, now: EpochSeconds): Proposal {
  const { requester, mid, scope, triggerMitigation, attackStatus } = command;
  const existing = ownRecord(view, requester, mid);
  // A withdrawn request is not taken up again by an update that was overtaken on the way.
  const matches =
    existing !== undefined && isAvailable(existing, now) && existing.status !== 'activeButTerminating';
  if (!matches) {
    // "If no match is found, the PUT request is silently ignored by the DOTS server."
    return command.ifMatch ? { answer: { result: 'ignored' }, writes: [] } : refuse({ code: 'unknown-mid' });
  }
  // D3: Figure 16 has no lifetime; then the last granted one is granted again.
  const granted = grantLifetime(command.lifetimeSeconds ?? existing.lifetimeSeconds, view.domain.policy);
  if (!granted.ok) return refuse(granted.error);
  const lifetimeSeconds = granted.value;
  return refreshMitigation(view, existing, { scope, triggerMitigation, lifetimeSeconds, attackStatus }, now);
}
