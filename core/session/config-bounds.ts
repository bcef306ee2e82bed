/** What a server finds acceptable in a session configuration (RFC 9132 §4.5.1): provider policy. */

/** Inclusive. */
export interface Bound {
  readonly min: number;
  readonly max: number;
}

export interface ConfigBounds {
  /** Of non-zero intervals, in seconds. */
  readonly heartbeatInterval: Bound;
  /** 0 disables heartbeats and is acceptable whatever the minimum, unless policy says otherwise (D16). */
  readonly heartbeatMayBeDisabled: boolean;
  readonly missingHbAllowed: Bound;
  /** Bytes per second. */
  readonly probingRate: Bound;
  readonly maxRetransmit: Bound;
  /** Seconds, hundredths. */
  readonly ackTimeout: Bound;
  /** Hundredths. */
  readonly ackRandomFactor: Bound;
}

/** Figure 20, which keeps the guidance of RFC 7252 §4.8.1. */
export const DEFAULT_BOUNDS: ConfigBounds = {
  heartbeatInterval: { min: 15, max: 240 },
  heartbeatMayBeDisabled: true,
  missingHbAllowed: { min: 3, max: 20 },
  probingRate: { min: 5, max: 20 },
  maxRetransmit: { min: 2, max: 15 },
  ackTimeout: { min: 1, max: 30 },
  ackRandomFactor: { min: 1.1, max: 4 },
};
