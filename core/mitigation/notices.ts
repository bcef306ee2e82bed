/** What every observer has to see even if the state has moved on (DESIGN: observers poll). */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Notice } from '../model/mitigation.ts';
import type { Status } from '../model/status.ts';
import { TOMBSTONE_GRACE_SECONDS } from './lifetime.ts';

/** Statuses 3 and 7 of a preconfigured request: "this status code will be transmitted four times" (RFC 9132 Table 3). */
export const PRECONFIGURED_REPEAT = 4;

export interface NewNotice {
  readonly status: Status;
  readonly repeat: number;
  readonly conflict?: ConflictInformation;
}

/** Appends, and drops what is older than its grace; the newest one stays, because sequences never start over. */
export function withNotices(
  notices: readonly Notice[],
  added: readonly NewNotice[],
  now: EpochSeconds,
): readonly Notice[] {
  if (added.length === 0) return notices;
  const last = notices.at(-1)?.sequence ?? 0;
  return [
    ...notices.filter((notice) => notice.at + TOMBSTONE_GRACE_SECONDS > now),
    ...added.map((notice, index) => ({ ...notice, sequence: last + 1 + index, at: now })),
  ];
}
