/** Session parameters of RFC 9132 §4.5, idle and mitigating, with the defaults of §4.5.2; bounds are in config-bounds.ts. */

/** Seconds unless said otherwise. */
export interface SessionParameters {
  /** 0 disables heartbeats. */
  readonly heartbeatInterval: number;
  /** Heartbeats that may go unanswered in a row before the session counts as lost. */
  readonly missingHbAllowed: number;
  /** Bytes per second. */
  readonly probingRate: number;
  readonly maxRetransmit: number;
  readonly ackTimeout: number;
  readonly ackRandomFactor: number;
}

export interface SessionConfiguration {
  readonly mitigating: SessionParameters;
  readonly idle: SessionParameters;
}

export const DEFAULT_PARAMETERS: SessionParameters = {
  heartbeatInterval: 30,
  missingHbAllowed: 15,
  probingRate: 5,
  maxRetransmit: 3,
  ackTimeout: 2,
  ackRandomFactor: 1.5,
};

export const DEFAULT_CONFIGURATION: SessionConfiguration = {
  mitigating: DEFAULT_PARAMETERS,
  idle: DEFAULT_PARAMETERS,
};
