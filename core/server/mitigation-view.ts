/** Records and reports as the entries of a GET answer or notification (RFC 9132 §4.4.2). */
import type { EpochSeconds } from '../base/time.ts';
import { isAvailable, remainingLifetime } from '../mitigation/lifetime.ts';
import { type VisibleStatus, visibleStatus } from '../mitigation/visible-status.ts';
import type { Cdid, Cuid, DomainId, IdentityId } from '../model/identifiers.ts';
import type { Mitigation, Notice } from '../model/mitigation.ts';
import type { WatchedMitigation } from '../ports/store.ts';
import type { MitigationStatusEntry } from '../signal/bodies.ts';

/** Whose records a peer may see: its own alone, not even those of its domain (RFC 9132 §3). */
export interface Client {
  readonly domainId: DomainId;
  readonly identityId: IdentityId;
  readonly cuid: Cuid;
  readonly cdid?: Cdid;
}

/** D18: what belongs to another identity does not exist, whatever cuid is asked for. */
export const isOwn = (mitigation: Mitigation, client: Client): boolean =>
  mitigation.domainId === client.domainId &&
  mitigation.identityId === client.identityId &&
  mitigation.cuid === client.cuid &&
  mitigation.cdid === client.cdid;

/** What GET shows, by ascending mid: tombstones and what has run out are gone (D10). */
export const visibleEntries = (
  watched: readonly WatchedMitigation[],
  now: EpochSeconds,
): MitigationStatusEntry[] =>
  watched
    .filter(({ mitigation }) => isAvailable(mitigation, now))
    .map((each) => currentEntry(each, now))
    .sort((left, right) => left.mid - right.mid);

export function currentEntry(
  { mitigation, reports }: WatchedMitigation,
  now: EpochSeconds,
): MitigationStatusEntry {
  return {
    ...described(mitigation, now),
    ...startOf(mitigation),
    ...visibleStatus(mitigation, reports, now),
  };
}

/** The entry as it was when the notice was written: what the observer has to be told of it. */
export function noticeEntry(
  { mitigation, reports }: WatchedMitigation,
  notice: Notice,
  now: EpochSeconds,
): MitigationStatusEntry {
  const then: Mitigation = { ...mitigation, status: notice.status };
  const entry: MitigationStatusEntry = {
    ...described(mitigation, now),
    ...startOf(then),
    ...countersOf(visibleStatus(mitigation, reports, now)),
    status: notice.status,
  };
  return notice.conflict === undefined ? entry : { ...entry, conflict: notice.conflict };
}

type Counters = Pick<VisibleStatus, 'bytesDropped' | 'pktsDropped' | 'bpsDropped' | 'ppsDropped'>;

function countersOf(visible: VisibleStatus): Counters {
  const counters = { ...visible } as Counters & { status?: unknown; conflict?: unknown };
  delete counters.status;
  delete counters.conflict;
  return counters;
}

const described = (
  mitigation: Mitigation,
  now: EpochSeconds,
): Pick<MitigationStatusEntry, 'mid' | 'scope' | 'triggerMitigation' | 'lifetimeSeconds'> => ({
  mid: mitigation.mid,
  scope: mitigation.scope,
  triggerMitigation: mitigation.triggerMitigation,
  lifetimeSeconds: remainingLifetime(mitigation, now),
});

/** S-176: 'mitigation-start' is there while something is or was started, never with status 8. */
const startOf = (mitigation: Mitigation): Pick<MitigationStatusEntry, 'mitigationStart'> =>
  mitigation.startedAt === undefined || mitigation.status === 'signalLoss'
    ? {}
    : { mitigationStart: mitigation.startedAt };
