/**
 * The life of one signal-channel session as the server sees it (RFC 9132 §4.5, §4.7). Everything that changes the state
 * is in this table; `idle` and `mitigating` choose the configuration set in force.
 *
 *   connecting --> idle <--> mitigating
 *        |          |  \      /  |
 *        |          |   +-> lost |      traffic on a lost session proves that it lives after all
 *        v          v       v    v
 *      closed <-----+-------+----+
 */

export type SessionState = 'connecting' | 'idle' | 'mitigating' | 'lost' | 'closed';

export type SessionEvent =
  /** The peer is authorized; no mitigation of its is known yet. */
  | 'authorized'
  | 'mitigationActive'
  | 'mitigationOver'
  /** No heartbeat answered and no traffic received for the whole allowance (§4.7). */
  | 'heartbeatsExhausted'
  | 'trafficReceived'
  | 'ended';

export const SESSION_TRANSITIONS = {
  connecting: { authorized: 'idle', ended: 'closed' },
  idle: { mitigationActive: 'mitigating', heartbeatsExhausted: 'lost', ended: 'closed' },
  mitigating: { mitigationOver: 'idle', heartbeatsExhausted: 'lost', ended: 'closed' },
  lost: { trafficReceived: 'idle', ended: 'closed' },
  closed: {},
} as const satisfies Record<SessionState, Partial<Record<SessionEvent, SessionState>>>;

/** The state after `event`; an event without meaning in `state` leaves it as it is. */
export function nextSessionState(state: SessionState, event: SessionEvent): SessionState {
  const row: Partial<Record<SessionEvent, SessionState>> = SESSION_TRANSITIONS[state];
  return row[event] ?? state;
}
