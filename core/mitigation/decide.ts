/**
 * The decision: one domain as it is, one command, one answer and what to write. Pure: the same view, command, names and
 * time give the same decision, and the view is not changed.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Answer } from './answer.ts';
import { attackStopped } from './attack-stopped.ts';
import { type Command, isRequested } from './command.ts';
import { releaseConflicts } from './conflict.ts';
import type { AuditNote, Decision, Proposal } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { efficacyUpdate } from './efficacy-update.ts';
import { namesOf, type ResolvedNames } from './expand-targets.ts';
import { isAvailable } from './lifetime.ts';
import { putMitigation } from './put-mitigation.ts';
import { settleDue } from './settle-due.ts';
import { signalLost } from './signal-loss.ts';
import { withdraw } from './withdraw.ts';

const NOTHING_RESOLVED: ResolvedNames = new Map();

/** `resolved` holds the addresses of every name in `namesToResolve`; a name that is missing is refused as unresolvable. */
export function decide(
  view: DomainView,
  command: Command,
  now: EpochSeconds,
  resolved: ResolvedNames = NOTHING_RESOLVED,
): Decision {
  const { answer, writes } = propose(view, command, now, resolved);
  if (writes.length === 0) return { answer, writes, audit: [] };
  const all = [...writes, ...releaseConflicts(view, writes, now)];
  return {
    answer,
    writes: all.map((mitigation) => versioned(view, mitigation)),
    ...cuidClaim(view, command),
    audit: [auditNote(command, answer, all)],
  };
}

/** Normalized names that the decision needs addresses of: resolving is I/O and happens before. */
export function namesToResolve(view: DomainView, command: Command, now: EpochSeconds): string[] {
  if (command.type !== 'put') return [];
  const { requester, mid, scope } = command;
  const existing = view.record(requester.cuid, mid);
  const isRefresh =
    existing !== undefined && isAvailable(existing, now) && existing.status !== 'activeButTerminating';
  return isRefresh ? [] : namesOf(view, requester.cuid, scope, now);
}

function propose(view: DomainView, command: Command, now: EpochSeconds, resolved: ResolvedNames): Proposal {
  switch (command.type) {
    case 'put':
      return putMitigation(view, command, resolved, now);
    case 'efficacy':
      return efficacyUpdate(view, command, now);
    case 'delete':
      return withdraw(view, command, now);
    case 'signal-lost':
      return signalLost(view, command, now);
    case 'attack-stopped':
      return attackStopped(view, command, now);
    case 'due':
      return settleDue(view, now);
  }
}

/**
 * A generation is the domain's version that first wanted it: it grows with every change of `desired` or `targets`, and
 * never starts over when a record is forgotten and made again. What was never wanted is generation 0.
 */
function versioned(view: DomainView, mitigation: Mitigation): Mitigation {
  const before = view.record(mitigation.cuid, mitigation.mid);
  const sv = view.sv + 1;
  return { ...mitigation, sv, generation: wantsTheSame(before, mitigation) ? (before?.generation ?? 0) : sv };
}

function wantsTheSame(before: Mitigation | undefined, after: Mitigation): boolean {
  if (before === undefined) return after.desired === 'absent';
  const sameTargets = JSON.stringify(before.targets) === JSON.stringify(after.targets);
  return before.desired === after.desired && sameTargets;
}

function cuidClaim(view: DomainView, command: Command): Pick<Decision, 'cuidClaim'> {
  if (command.type !== 'put') return {};
  const { cuid, identityId } = command.requester;
  return view.client(cuid) === undefined ? { cuidClaim: { cuid, identityId } } : {};
}

/** One note per decision that changed something. */
function auditNote(command: Command, answer: Answer, writes: readonly Mitigation[]): AuditNote {
  const keys = writes.map(({ cuid, mid, status }) => ({ cuid, mid, status }));
  const told = answer.result === 'refused' ? { refused: answer.refusal.code } : {};
  const by = isRequested(command) ? command.requester : undefined;
  const actor = by?.identityId ?? 'tocsin';
  const source = by === undefined ? {} : { source: by.source };
  return {
    actor,
    action: command.type,
    detail: { answer: answer.result, ...told, ...source, ...cap(keys) },
  };
}

/** Items are bounded in size: the first records by name, the rest by number. */
function cap(keys: readonly object[]): { readonly records: readonly object[]; readonly more?: number } {
  const records = keys.slice(0, 20);
  return keys.length > records.length ? { records, more: keys.length - records.length } : { records };
}
