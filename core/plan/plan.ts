/** What one mitigator is to do for one mitigation: pure data, computed from scope, policy and capabilities. */
import type { Profile } from '../model/domain.ts';
import type { MitigationKey } from '../model/mitigation.ts';
import type { Target } from '../model/scope.ts';

/** What a device can express; feeds planning and the data channel's capabilities (RFC 8783 §7.1). */
export interface Capabilities {
  readonly families: readonly (4 | 6)[];
  readonly ports: boolean;
  readonly protocols: boolean;
  readonly profiles: readonly Profile[];
  readonly counters: 'exact' | 'none';
  readonly maxRules: number;
}

export interface Plan {
  readonly key: MitigationKey;
  readonly generation: number;
  readonly profile: Profile;
  readonly targets: readonly Target[];
  /** Seconds until the rule may expire by itself: the lease, extended while the mitigation lives. */
  readonly leaseSeconds: number;
  /** For drivers that hand the request on: as granted, -1 unlimited. */
  readonly lifetimeSeconds: number;
}

export type PlanResult =
  | { readonly planned: true; readonly plan: Plan }
  /** Nothing of it can be expressed; the next mitigator of the domain is tried. */
  | { readonly planned: false; readonly reason: string };
