/** What the server counts since its start; for the metrics page. */

export interface Counters {
  sessionsOpened: number;
  sessionsRefused: number;
  sessionsLost: number;
  /** Without heartbeats. */
  requests: number;
  /** By CoAP response code, e.g. `2.01`. */
  readonly responses: Map<string, number>;
  heartbeatsReceived: number;
  heartbeatsSent: number;
  notifications: number;
  signalLost: number;
}

export const makeCounters = (): Counters => ({
  sessionsOpened: 0,
  sessionsRefused: 0,
  sessionsLost: 0,
  requests: 0,
  responses: new Map(),
  heartbeatsReceived: 0,
  heartbeatsSent: 0,
  notifications: 0,
  signalLost: 0,
});
