/**
 * What an observer of mitigations is sent next (RFC 9132 §4.4.2.1; RFC 7641 §4): pure, from what it has been told and
 * what is. How often notifications may go out at all is the session's affair (`notification-pace.ts`).
 */
import type { EpochSeconds, Instant } from '../base/time.ts';
import { isAvailable } from '../mitigation/lifetime.ts';
import type { Mid } from '../model/identifiers.ts';
import type { Mitigation, Notice } from '../model/mitigation.ts';
import type { Status } from '../model/status.ts';
import type { WatchedMitigation } from '../ports/store.ts';
import type { MitigationStatusEntry } from '../signal/bodies.ts';
import { currentEntry, noticeEntry } from './mitigation-view.ts';

/** "the DOTS server periodically sends attack mitigation status": this often while nothing changes. */
export const PERIOD_MS = 15_000;

/** What one observer knows, of one mitigation or of all of its client. */
export interface Told {
  readonly at: Instant;
  readonly mitigations: ReadonlyMap<Mid, ToldMitigation>;
}

interface ToldMitigation {
  /** Notices up to this sequence have been sent as often as they ask for. */
  readonly sequence: number;
  /** How often the one after it has been sent. */
  readonly repeats: number;
  /** Status and conflict last sent; absent when the mitigation was not shown. */
  readonly shown?: string;
}

export type Notification =
  | { readonly type: 'content'; readonly entries: readonly MitigationStatusEntry[] }
  /** 4.04, and the observation is over (D19). */
  | { readonly type: 'gone' };

export interface PlannedNotification {
  readonly notification: Notification;
  /** What the observer knows once this is sent. */
  readonly told: Told;
  /** What it must not miss goes before what it may miss. */
  readonly urgency: 'notice' | 'change' | 'periodic';
}

/** At registration: the answer shows what is, so no older notice is owed. */
export function beginTold(watched: readonly WatchedMitigation[], wall: EpochSeconds, now: Instant): Told {
  const mitigations = new Map<Mid, ToldMitigation>();
  for (const each of watched) {
    const shown = isAvailable(each.mitigation, wall) ? { shown: fingerprint(currentEntry(each, wall)) } : {};
    mitigations.set(each.mitigation.mid, { sequence: lastSequence(each.mitigation), repeats: 0, ...shown });
  }
  return { at: now, mitigations };
}

/**
 * The next notification, or undefined when there is nothing to say now. `watched` holds what is observed and stored,
 * tombstones included. A notice is sent as often as it asks for before anything that came after it is shown.
 */
export function planNotification(
  told: Told,
  watched: readonly WatchedMitigation[],
  wall: EpochSeconds,
  now: Instant,
): PlannedNotification | undefined {
  const mitigations = new Map<Mid, ToldMitigation>();
  const entries: MitigationStatusEntry[] = [];
  let hasNotice = false;
  for (const each of watched.toSorted((left, right) => left.mitigation.mid - right.mitigation.mid)) {
    const { mid } = each.mitigation;
    const known = told.mitigations.get(mid) ?? { sequence: 0, repeats: 0 };
    const notice = owedNotice(each.mitigation, known);
    const entry = notice === undefined ? presentEntry(each, wall) : noticeEntry(each, notice, wall);
    hasNotice ||= notice !== undefined;
    if (entry !== undefined) entries.push(entry);
    mitigations.set(mid, {
      ...(notice === undefined ? { sequence: known.sequence, repeats: 0 } : sentOnce(known, notice)),
      ...(entry === undefined ? {} : { shown: fingerprint(entry) }),
    });
  }
  const next: Told = { at: now, mitigations };
  const changed = !sameShown(told, next);
  if (!hasNotice && !changed && !(entries.some(isUnderWay) && now - told.at >= PERIOD_MS)) return undefined;
  return {
    notification: entries.length === 0 ? { type: 'gone' } : { type: 'content', entries },
    told: next,
    urgency: hasNotice ? 'notice' : changed ? 'change' : 'periodic',
  };
}

/** Statuses that may be another one within seconds: worth a closer look than a settled one. */
export const isInTransition = ({ mitigation }: WatchedMitigation): boolean =>
  mitigation.status === 'inProgress' || mitigation.status === 'activeButTerminating';

function owedNotice(mitigation: Mitigation, known: ToldMitigation): Notice | undefined {
  return mitigation.notices.find((notice) => notice.sequence > known.sequence);
}

function sentOnce(known: ToldMitigation, notice: Notice): Pick<ToldMitigation, 'sequence' | 'repeats'> {
  // Notices before this one have been dropped by age: its count starts over.
  const repeats = (notice.sequence === known.sequence + 1 ? known.repeats : 0) + 1;
  return repeats >= notice.repeat
    ? { sequence: notice.sequence, repeats: 0 }
    : { sequence: notice.sequence - 1, repeats };
}

/** What has run out and is not settled yet is shown until its end has been decided. */
const presentEntry = (each: WatchedMitigation, wall: EpochSeconds): MitigationStatusEntry | undefined =>
  each.mitigation.removedAt === undefined ? currentEntry(each, wall) : undefined;

const UNDER_WAY: ReadonlySet<Status> = new Set<Status>([
  'inProgress',
  'mitigated',
  'stopped',
  'exceededCapability',
  'activeButTerminating',
]);

const isUnderWay = ({ status }: MitigationStatusEntry): boolean => UNDER_WAY.has(status);

const lastSequence = (mitigation: Mitigation): number => mitigation.notices.at(-1)?.sequence ?? 0;

/** Everything that makes a status another one: not counters, lifetime or retry-timer, which run by themselves. */
function fingerprint({ status, conflict }: MitigationStatusEntry): string {
  if (conflict === undefined) return status;
  return `${status} ${JSON.stringify({ ...conflict, retryTimerSeconds: undefined })}`;
}

function sameShown(left: Told, right: Told): boolean {
  const shown = (told: Told): [Mid, string][] =>
    [...told.mitigations].flatMap(([mid, { shown }]): [Mid, string][] =>
      shown === undefined ? [] : [[mid, shown]],
    );
  const before = new Map(shown(left));
  const after = shown(right);
  return before.size === after.length && after.every(([mid, text]) => before.get(mid) === text);
}
