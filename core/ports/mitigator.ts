/**
 * A driver: it makes a device do what the plan says, and reports only what the device has confirmed.
 * Everything is declarative and idempotent: commands arrive at least once.
 */
import type { Counters, ReportState } from '../model/mitigation.ts';
import type { Target } from '../model/scope.ts';
import type { Capabilities, Plan } from '../plan/plan.ts';

export interface EnsureResult {
  /** `active` only with proof; `pending` is asked again later; `refused` and `failed` carry a reason. */
  readonly state: Exclude<ReportState, 'removed'>;
  readonly actualTargets: readonly Target[];
  readonly refs?: unknown;
  readonly reason?: string;
}

/** One thing this deployment owns on the device. */
export interface Installed {
  /** `domainId/cuid/mid` hashed or plain, as far as the device can carry it: equal to `Mitigator.keyOf(plan)`. */
  readonly key: string;
  readonly refs: unknown;
  /** What it acts on, where the device tells: whose audit trail its removal belongs to. */
  readonly prefix?: string;
}

export interface Collected {
  readonly state: ReportState;
  /** As the device counts: they start over when it does. */
  readonly counters?: Counters;
  /** What it acts on, where the device tells; what was planned otherwise. */
  readonly actualTargets?: readonly Target[];
  /** Seconds until the rules go by themselves, where they do: `ensure` extends it. */
  readonly leaseSeconds?: number;
  /** Why it is not active. */
  readonly reason?: string;
}

export interface Health {
  readonly healthy: boolean;
  /** For the operator: what is wrong and the fix. */
  readonly detail: string;
}

export interface Mitigator {
  readonly name: string;
  readonly capabilities: Capabilities;
  keyOf(plan: Plan): string;
  ensure(plan: Plan): Promise<EnsureResult>;
  /** Works from the plan alone: refs may be lost. */
  remove(plan: Plan): Promise<void>;
  /** State as the device shows it now, with cumulative counters where it has them; undefined when it is not installed. */
  collect(plan: Plan): Promise<Collected | undefined>;
  list(): AsyncIterable<Installed>;
  /** Takes away something `list` showed and nobody owns. */
  removeInstalled(installed: Installed): Promise<void>;
  health(): Promise<Health>;
  close(): Promise<void>;
}
