/** From what a mitigation is to bring about to what one mitigator can do of it. Refusals name the reason. */
import type { EpochSeconds } from '../base/time.ts';
import { ownedResources, refusePrefix } from '../mitigation/ownership.ts';
import type { Domain, MitigatorChoice } from '../model/domain.ts';
import { parseIpPrefix } from '../model/ip-prefix.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Target } from '../model/scope.ts';
import type { Capabilities, Plan, PlanResult } from './plan.ts';
import { actualTargets, rulesOf } from './rules.ts';

/** Rules outlive the record by this: the sweeper takes them away first, the device itself only if nobody does. */
const LEASE_MARGIN_SECONDS = 120;

/** The lease of what has no end. */
const UNLIMITED_LEASE_SECONDS = 86_400;

/**
 * Targets that the device cannot express are left out, and so is what it would have to widen: the actual scope is
 * reported. With nothing left, refused. What the domain does not own, or must never be touched, refuses the whole:
 * the decision checked it once, the policy may have changed since.
 */
export function makePlan(
  mitigation: Mitigation,
  domain: Domain,
  choice: MitigatorChoice,
  capabilities: Capabilities,
  now: EpochSeconds,
): PlanResult {
  const refuse = (reason: string): PlanResult => ({ planned: false, reason: `${choice.name}: ${reason}` });
  const { profile } = choice;
  if (!capabilities.profiles.includes(profile))
    return refuse(`profile ${profile} is not configured (it does ${capabilities.profiles.join(', ')})`);
  const forbidden = forbiddenTarget(mitigation.targets, domain);
  if (forbidden !== undefined) return refuse(forbidden);

  const inexpressible = new Set<string>();
  const targets = mitigation.targets.filter((target) => {
    const why = whyInexpressible(target, choice, capabilities);
    if (why !== undefined) inexpressible.add(why);
    return why === undefined;
  });
  const reached = actualTargets(profile, targets);
  if (reached.length === 0)
    return refuse([...inexpressible].join('; ') || `profile ${profile} has nothing to do for these targets`);
  const rules = rulesOf(profile, targets).length;
  if (rules > capabilities.maxRules)
    return refuse(`${rules} rules are needed, one mitigation may have ${capabilities.maxRules}`);
  return { planned: true, plan: planOf(mitigation, choice, targets, now) };
}

/** What to take away: needs no permission and no capability, and works when policy or profile have changed since. */
export function removalPlan(mitigation: Mitigation, choice: MitigatorChoice): Plan {
  return { ...planOf(mitigation, choice, mitigation.targets, 0), leaseSeconds: 0 };
}

function planOf(
  mitigation: Mitigation,
  choice: MitigatorChoice,
  targets: readonly Target[],
  now: EpochSeconds,
): Plan {
  const { domainId, cuid, mid, generation, lifetimeSeconds, expiresAt } = mitigation;
  return {
    key: { domainId, cuid, mid },
    generation,
    profile: choice.profile,
    targets,
    leaseSeconds:
      expiresAt === undefined ? UNLIMITED_LEASE_SECONDS : Math.max(expiresAt - now, 0) + LEASE_MARGIN_SECONDS,
    lifetimeSeconds,
  };
}

function forbiddenTarget(targets: readonly Target[], domain: Domain): string | undefined {
  const owned = ownedResources(domain);
  for (const target of targets) {
    const prefix = parseIpPrefix(target.prefix);
    if (prefix === undefined) return `${target.prefix} is not a prefix`;
    const refusal = refusePrefix(owned, prefix, 'target-prefix');
    if (refusal !== undefined)
      return refusal.code === 'invalid' ? refusal.why : `${target.prefix} is not the domain's`;
  }
  return undefined;
}

function whyInexpressible(
  target: Target,
  choice: MitigatorChoice,
  capabilities: Capabilities,
): string | undefined {
  const family = target.prefix.includes(':') ? 6 : 4;
  if (!capabilities.families.includes(family)) return `IPv${family} is not configured`;
  // Widening is the whole point of a blackhole; nowhere else may traffic be filtered that nobody asked about.
  if (choice.profile === 'blackhole') return undefined;
  if (target.portRanges.length > 0 && !capabilities.ports) return 'it cannot tell ports apart';
  if (target.protocols.length > 0 && !capabilities.protocols) return 'it cannot tell protocols apart';
  return undefined;
}
