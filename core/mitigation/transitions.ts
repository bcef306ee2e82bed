/**
 * The lifecycle of a mitigation. Rule 1: whatever changes the lifecycle status goes through this file.
 *
 *   immediate:      inProgress -> activeButTerminating -> terminated
 *   preconfigured:  signalLoss -> inProgress (session lost) -> signalLoss (yields, attack over)
 *
 * Whether the client sees inProgress as 1, 2, 3 or 4 is told by the mitigators (`visible-status.ts`); mitigated,
 * stopped and exceededCapability are therefore never stored.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Status } from '../model/status.ts';
import { type NewNotice, PRECONFIGURED_REPEAT, withNotices } from './notices.ts';
import { without } from './without.ts';

export const TRANSITIONS = {
  inProgress: {
    clientWithdraws: 'activeButTerminating',
    lifetimeElapsed: 'terminated',
    overridden: 'terminated',
    deactivated: 'withdrawn',
    yielded: 'signalLoss',
    attackStopped: 'signalLoss',
  },
  activeButTerminating: {
    periodElapsed: 'terminated',
    overridden: 'terminated',
    requestedAgain: 'inProgress',
    armedAgain: 'signalLoss',
  },
  signalLoss: {
    signalLost: 'inProgress',
    clientWithdraws: 'terminated',
    lifetimeElapsed: 'terminated',
    overridden: 'terminated',
  },
  withdrawn: {
    requestedAgain: 'inProgress',
    clientWithdraws: 'terminated',
    lifetimeElapsed: 'terminated',
    overridden: 'terminated',
  },
  terminated: {},
  mitigated: {},
  stopped: {},
  exceededCapability: {},
} as const satisfies Record<Status, Partial<Record<LifecycleEvent['type'], Status>>>;

export type LifecycleEvent =
  /** DELETE (RFC 9132 §4.4.4). */
  | { readonly type: 'clientWithdraws' }
  /** The active-but-terminating period is over. */
  | { readonly type: 'periodElapsed' }
  | { readonly type: 'lifetimeElapsed' }
  /** A request of the same client with a higher mid, or a new one after a withdrawal, has taken over (§4.4.1.3). */
  | { readonly type: 'overridden' }
  /** Withdrawn by the server: another client's request or a preconfigured one takes precedence; kept until then. */
  | {
      readonly type: 'deactivated';
      readonly keptUntil: EpochSeconds;
      readonly conflict?: ConflictInformation;
    }
  /** An active preconfigured request makes room: status 7 four times, then 8 (Table 3). */
  | { readonly type: 'yielded'; readonly conflict?: ConflictInformation }
  /** The attack on an active preconfigured request is over: status 3 four times, then 8 (Table 3). */
  | { readonly type: 'attackStopped' }
  /** The session is lost (§4.7). */
  | { readonly type: 'signalLost' }
  /** PUT of a mid that was withdrawn: active again, or (preconfigured) waiting again. */
  | { readonly type: 'requestedAgain' }
  | { readonly type: 'armedAgain' };

/** Where a new request starts. */
export function initialStatus(triggerMitigation: boolean): Status {
  return triggerMitigation ? 'inProgress' : 'signalLoss';
}

/** Applies one event. An event that the table does not know in this status is our mistake and throws. */
export function transition(mitigation: Mitigation, event: LifecycleEvent, now: EpochSeconds): Mitigation {
  const known: Partial<Record<LifecycleEvent['type'], Status>> = TRANSITIONS[mitigation.status];
  const status = known[event.type];
  if (status === undefined)
    throw new Error(`a mitigation with status ${mitigation.status} cannot be ${event.type}`);
  const notices = withNotices(mitigation.notices, noticesOf(mitigation, event), now);
  return enter({ ...mitigation, notices }, status, event, now);
}

function enter(before: Mitigation, status: Status, event: LifecycleEvent, now: EpochSeconds): Mitigation {
  const mitigation = without(before, 'conflict');
  switch (status) {
    case 'inProgress':
      return { ...mitigation, status, desired: 'present', startedAt: before.startedAt ?? now };
    case 'activeButTerminating':
      return { ...mitigation, status, expiresAt: now + before.terminatingSeconds };
    case 'signalLoss':
      // RFC 9132 §4.4.2: "'mitigation-start' is not returned for a mitigation with 'status' code set to 8".
      return { ...without(mitigation, 'startedAt'), status, desired: 'absent' };
    case 'withdrawn': {
      const { keptUntil, conflict } = event as Extract<LifecycleEvent, { type: 'deactivated' }>;
      const told = conflict === undefined ? {} : { conflict };
      return { ...mitigation, ...told, status, desired: 'absent', expiresAt: keptUntil };
    }
    case 'terminated':
      return { ...without(mitigation, 'expiresAt'), status, desired: 'absent', removedAt: now };
    default:
      throw new Error(`no mitigation enters ${status} by a decision`);
  }
}

function noticesOf(mitigation: Mitigation, event: LifecycleEvent): NewNotice[] {
  switch (event.type) {
    case 'deactivated':
      return [{ status: 'withdrawn', repeat: 1, ...conflictOf(event) }];
    case 'yielded':
      return [
        { status: 'withdrawn', repeat: PRECONFIGURED_REPEAT, ...conflictOf(event) },
        { status: 'signalLoss', repeat: 1 },
      ];
    case 'attackStopped':
      return [
        { status: 'stopped', repeat: PRECONFIGURED_REPEAT },
        { status: 'signalLoss', repeat: 1 },
      ];
    case 'periodElapsed':
    case 'lifetimeElapsed':
    case 'overridden':
      // D10: one notification with status 6; a request under which nothing ran just disappears.
      return mitigation.desired === 'present' ? [{ status: 'terminated', repeat: 1 }] : [];
    case 'clientWithdraws':
    case 'signalLost':
    case 'requestedAgain':
    case 'armedAgain':
      return [];
  }
}

function conflictOf(event: { readonly conflict?: ConflictInformation }): { conflict?: ConflictInformation } {
  return event.conflict === undefined ? {} : { conflict: event.conflict };
}
