/** A store with one domain, and the mitigator function over the drivers a test brings. */
import { inspect } from 'node:util';
import { openSqlite } from '#adapters/sqlite/store.ts';
import { DEFAULT_POLICY, type Domain, type DomainPolicy, type MitigatorChoice } from '#core/model/domain.ts';
import type { Mitigation, MitigationReport } from '#core/model/mitigation.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import type { Store } from '#core/ports/store.ts';
import { createMitigator, type Handled, type MitigatorApp } from '#functions/mitigator/app.ts';
import type { MitigatorTrace } from '#functions/mitigator/trace.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { DEMO, makeDomain, makeMitigation, mid } from './records.ts';

export interface MitigatorWorld {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly app: MitigatorApp;
  readonly traces: MitigatorTrace[];
  /** Stores the mitigation as it is wanted, without telling anyone. */
  commit(changes: Partial<Mitigation> & { readonly number?: number }): Promise<Mitigation>;
  /** Commits, and hands the command to the mitigator. */
  ask(changes: Partial<Mitigation> & { readonly number?: number }, mitigator?: string): Promise<Handled>;
  setPolicy(policy: Partial<DomainPolicy>): Promise<void>;
  report(number?: number, mitigator?: string): Promise<MitigationReport | undefined>;
  close(): Promise<void>;
}

export async function openWorld(
  drivers: readonly Mitigator[],
  choices: readonly MitigatorChoice[],
  settings: { readonly clock?: ManualClock; readonly driverTimeoutMs?: number } = {},
): Promise<MitigatorWorld> {
  const clock = settings.clock ?? manualClock();
  const { store, close } = await openSqlite({ path: ':memory:', clock });
  const domain = (policy: Partial<DomainPolicy>): Domain =>
    makeDomain({ policy: { ...DEFAULT_POLICY, mitigators: choices, ...policy } });
  await store.putDomain(domain({}));
  const traces: MitigatorTrace[] = [];
  const { driverTimeoutMs } = settings;
  const app = createMitigator({
    store,
    mitigators: new Map(drivers.map((driver) => [driver.name, driver])),
    clock,
    trace: (event) => traces.push(event),
    ...(driverTimeoutMs === undefined ? {} : { driverTimeoutMs }),
  });
  const commit: MitigatorWorld['commit'] = async ({ number = 1, ...changes }) => {
    const sv = (await store.snapshot(DEMO))?.sv ?? 0;
    const mitigation = makeMitigation({ mid: mid(number), sv: sv + 1, ...changes });
    const result = await store.commit({
      domainId: DEMO,
      expectedSv: sv,
      mitigations: [mitigation],
      audit: [],
    });
    if (!result.ok) throw new Error(result.reason);
    return mitigation;
  };
  const [first = { name: '' }] = choices;
  return {
    store,
    clock,
    app,
    traces,
    commit,
    ask: async (changes, mitigator = first.name) => {
      const { domainId, cuid, mid, generation } = await commit(changes);
      return app.handle({ domainId, cuid, mid, generation, mitigator });
    },
    setPolicy: (policy) => store.putDomain(domain(policy)),
    report: async (number = 1, mitigator = first.name) =>
      (await store.reports({ ...makeMitigation(), mid: mid(number) })).find(
        (one) => one.mitigator === mitigator,
      ),
    close,
  };
}

/** A plan for one /32, every field open to change. */
export function makePlanFor(changes: Partial<Plan> & { readonly number?: number } = {}): Plan {
  const { number = 1, ...rest } = changes;
  const { domainId, cuid } = makeMitigation();
  return {
    key: { domainId, cuid, mid: mid(number) },
    generation: 1,
    profile: 'blackhole',
    targets: [{ prefix: '192.0.2.1/32', protocols: [], portRanges: [] }],
    leaseSeconds: 600,
    lifetimeSeconds: 600,
    ...rest,
  };
}

/** Waits until the condition holds; fails with what was seen last. */
export async function eventually<T>(
  look: () => Promise<T>,
  isRight: (seen: T) => boolean,
  milliseconds = 10_000,
): Promise<T> {
  const until = performance.now() + milliseconds;
  for (;;) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (performance.now() > until) throw new Error(`after ${milliseconds} ms still ${inspect(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
