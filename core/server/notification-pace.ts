/** RFC 9132 §4.4.2.1: without an RTT estimate "it MUST NOT send more than one asynchronous notification every 3 seconds". */
import type { Instant } from '../base/time.ts';
import type { PlannedNotification } from './notification-plan.ts';

/** Counted per peer, not per observation: it is the peer's path that must not be loaded. */
export const SHORTEST_PAUSE_MS = 3_000;

export const mayNotify = (lastSent: Instant | undefined, now: Instant): boolean =>
  lastSent === undefined || now - lastSent >= SHORTEST_PAUSE_MS;

export type Urgency = PlannedNotification['urgency'];

const RANK: Readonly<Record<Urgency, number>> = { notice: 0, change: 1, periodic: 2 };

export interface Candidate {
  readonly urgency: Urgency;
  /** When this observer was last told something. */
  readonly toldAt: Instant;
}

/** The one to go first of those a session could be sent: the most urgent, then the one that waited longest. */
export function mostUrgent<T extends Candidate>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (best, each) => (best === undefined || isBefore(each, best) ? each : best),
    undefined,
  );
}

const isBefore = (left: Candidate, right: Candidate): boolean =>
  RANK[left.urgency] - RANK[right.urgency] < 0 ||
  (left.urgency === right.urgency && left.toldAt < right.toldAt);
