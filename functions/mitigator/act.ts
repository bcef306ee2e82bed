/** One mitigation, one driver: bring it about or take it away, and report what the device has confirmed. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Domain, MitigatorChoice } from '#core/model/domain.ts';
import type { Mitigation, MitigationKey, MitigationReport } from '#core/model/mitigation.ts';
import { makePlan, removalPlan } from '#core/plan/make-plan.ts';
import type { Plan } from '#core/plan/plan.ts';
import { actualTargets } from '#core/plan/rules.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import type { Store } from '#core/ports/store.ts';
import type { DriverGate } from './driver-gate.ts';
import { reportOf, type Said } from './metered-report.ts';
import type { MitigatorTrace } from './trace.ts';

export interface Device {
  readonly mitigator: Mitigator;
  readonly gate: DriverGate;
}

export interface ActDeps {
  readonly store: Pick<Store, 'domain' | 'reports' | 'putReport'>;
  readonly clock: Pick<Clock, 'epochSeconds'>;
  readonly trace: (event: MitigatorTrace) => void;
}

/** `unreachable`: the device failed or hung, nothing is known. */
export type Outcome = 'settled' | 'pending' | 'unreachable';

/** Whether a device that fails is `failed` for the client (status 4), or still `pending`. */
export type GaveUp = boolean;

export async function act(
  deps: ActDeps,
  device: Device,
  mitigation: Mitigation,
  gaveUp: GaveUp,
): Promise<Outcome> {
  const { name } = device.mitigator;
  const [domain, previous] = await Promise.all([
    deps.store.domain(mitigation.domainId),
    lastReport(deps.store, mitigation, name),
  ]);
  const choice = choiceOf(domain, name);
  if (mitigation.desired === 'absent' || domain === undefined || choice === undefined)
    return takeAway(deps, device, mitigation, choice, previous);
  const now = deps.clock.epochSeconds();
  const planned = makePlan(mitigation, domain, choice, device.mitigator.capabilities, now);
  if (!planned.planned) return decline(deps, device, mitigation, choice, previous, planned.reason);
  return bringAbout(deps, device, mitigation, planned.plan, previous, gaveUp);
}

export async function lastReport(
  store: Pick<Store, 'reports'>,
  key: MitigationKey,
  mitigator: string,
): Promise<MitigationReport | undefined> {
  return (await store.reports(key)).find((report) => report.mitigator === mitigator);
}

export const choiceOf = (domain: Domain | undefined, mitigator: string): MitigatorChoice | undefined =>
  domain?.policy.mitigators.find(({ name }) => name === mitigator);

/** Any choice serves to take something away: drivers go by the mitigation's key. */
export const removalOf = (mitigation: Mitigation, choice: MitigatorChoice | undefined, name: string): Plan =>
  removalPlan(mitigation, choice ?? { name, profile: 'acl-only' });

async function bringAbout(
  deps: ActDeps,
  device: Device,
  mitigation: Mitigation,
  plan: Plan,
  previous: MitigationReport | undefined,
  gaveUp: GaveUp,
): Promise<Outcome> {
  const { mitigator, gate } = device;
  try {
    const result = await gate.run(() => mitigator.ensure(plan));
    // A device that lost its rules counts from zero again: seen now, before it has caught up with the last reading.
    const counters = previous?.counters === undefined ? undefined : await count(deps, device, plan);
    await report(deps, mitigator, mitigation, { ...result, ...counted(counters) }, previous);
    return result.state === 'pending' ? 'pending' : 'settled';
  } catch (error) {
    deps.trace({ type: 'driver-failed', mitigator: mitigator.name, call: 'ensure', reason: reasonOf(error) });
    const said: Said = { state: gaveUp ? 'failed' : 'pending', actualTargets: [], reason: reasonOf(error) };
    await report(deps, mitigator, mitigation, said, previous);
    return 'unreachable';
  }
}

/** What it may no longer do, e.g. since the policy changed, is taken away too. */
async function decline(
  deps: ActDeps,
  device: Device,
  mitigation: Mitigation,
  choice: MitigatorChoice,
  previous: MitigationReport | undefined,
  reason: string,
): Promise<Outcome> {
  const mayHold = previous !== undefined && previous.state !== 'refused' && previous.state !== 'removed';
  if (mayHold) {
    const outcome = await takeAway(deps, device, mitigation, choice, previous);
    if (outcome !== 'settled') return outcome;
  }
  const said: Said = { state: 'refused', actualTargets: [], reason };
  await report(deps, device.mitigator, mitigation, said, previous);
  return 'settled';
}

async function takeAway(
  deps: ActDeps,
  device: Device,
  mitigation: Mitigation,
  choice: MitigatorChoice | undefined,
  previous: MitigationReport | undefined,
): Promise<Outcome> {
  const { mitigator, gate } = device;
  const plan = removalOf(mitigation, choice, mitigator.name);
  try {
    // A first generation that is not wanted never was: there is nothing that could be there.
    const mayHold = mitigation.generation > 1 || previous !== undefined;
    // What was dropped since the last look is lost with the rules, unless read now.
    const counters = mayHold && choice !== undefined ? await count(deps, device, plan) : undefined;
    if (mayHold) await gate.run(() => mitigator.remove(plan));
    await report(
      deps,
      mitigator,
      mitigation,
      { state: 'removed', actualTargets: [], ...counted(counters) },
      previous,
    );
    return 'settled';
  } catch (error) {
    deps.trace({ type: 'driver-failed', mitigator: mitigator.name, call: 'remove', reason: reasonOf(error) });
    return 'unreachable';
  }
}

/** Undefined when the device does not count, or does not say. */
async function count(deps: ActDeps, { mitigator, gate }: Device, plan: Plan): Promise<Said['counters']> {
  if (mitigator.capabilities.counters === 'none') return undefined;
  try {
    return (await gate.run(() => mitigator.collect(plan)))?.counters;
  } catch (error) {
    deps.trace({
      type: 'driver-failed',
      mitigator: mitigator.name,
      call: 'collect',
      reason: reasonOf(error),
    });
    return undefined;
  }
}

const counted = (counters: Said['counters']): Pick<Said, 'counters'> =>
  counters === undefined ? {} : { counters };

async function report(
  { store, clock }: ActDeps,
  mitigator: Mitigator,
  mitigation: Mitigation,
  said: Said,
  previous: MitigationReport | undefined,
): Promise<void> {
  const now: EpochSeconds = clock.epochSeconds();
  // Refused when the mitigation has moved on meanwhile: its newer command is on the way.
  await store.putReport(reportOf(mitigation, mitigator, said, previous, now));
}

export const reachOf = (plan: Plan): MitigationReport['actualTargets'] =>
  actualTargets(plan.profile, plan.targets);

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
