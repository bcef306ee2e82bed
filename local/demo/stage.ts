/** Where the demo plays: something that attacks, something that filters, something that suffers. */

/** Packets per second that arrive at the victim, measured over the time since the reading before. */
export interface Rates {
  readonly attack: number;
  readonly visitors: number;
}

export interface Stage {
  /** One line: what is real and what is not. */
  readonly about: string;
  /** The victim: what is to be protected. */
  readonly victim: string;
  /** Address on which the provider listens, as the agent sees it. */
  readonly providerHost: string;
  /** Network namespace of the customer's agent; undefined: the same as the provider's. */
  readonly agentNamespace: string | undefined;
  /** The provider's config.yaml. */
  readonly config: string;
  startVisitors(): void;
  startAttack(): void;
  stopAttack(): Promise<void>;
  /** Counters of the victim's own network interface since the last call. */
  measure(): Promise<Rates>;
  /** Whether the mitigator still holds something against the victim's traffic. */
  hasFilters(): Promise<boolean>;
  /** Takes everything down again. */
  close(): Promise<void>;
}
