/** What a client asks to protect, as it said it (RFC 9132 §4.4.1.1): order and host bits are kept (S-171). */

/** `lowerPort` alone means that single port: `upperPort` is then absent and stays absent (S-076). */
export interface PortRange {
  readonly lowerPort: number;
  readonly upperPort?: number;
}

export interface MitigationScope {
  readonly targetPrefixes: readonly string[];
  readonly targetPortRanges: readonly PortRange[];
  /** IANA protocol numbers 0..255; empty means any protocol. */
  readonly targetProtocols: readonly number[];
  readonly targetFqdns: readonly string[];
  readonly targetUris: readonly string[];
  readonly aliasNames: readonly string[];
}

export const EMPTY_SCOPE: MitigationScope = {
  targetPrefixes: [],
  targetPortRanges: [],
  targetProtocols: [],
  targetFqdns: [],
  targetUris: [],
  aliasNames: [],
};

/**
 * One target after alias expansion, name resolution and masking: what a mitigator can act on.
 * Empty `protocols` or `portRanges` mean any.
 */
export interface Target {
  /** Canonical prefix text, e.g. `192.0.2.0/24`. */
  readonly prefix: string;
  readonly protocols: readonly number[];
  readonly portRanges: readonly PortRange[];
}
