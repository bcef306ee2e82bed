/** A look at every mitigation that some device may hold. */
import type { Domain } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Mitigation, MitigationReport } from '#core/model/mitigation.ts';
import { makePlan } from '#core/plan/make-plan.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Collected } from '#core/ports/mitigator.ts';
import type { Store, WatchedMitigation } from '#core/ports/store.ts';
import { act, choiceOf, type Device, reachOf, reasonOf } from './act.ts';
import { type KeyLock, lockKey } from './key-lock.ts';
import { isSameReport, reportOf } from './metered-report.ts';
import type { MitigatorTrace } from './trace.ts';

export interface CollectParts {
  readonly store: Store;
  readonly clock: Pick<Clock, 'epochSeconds'>;
  readonly trace: (event: MitigatorTrace) => void;
  readonly lock: KeyLock;
  readonly devices: ReadonlyMap<string, Device>;
}

/** Records read at once. */
const PAGE = 100;

/** So many failures in a row are the device's, not the mitigation's: the rest of the round is spared. */
const FAILURES_IN_A_ROW = 3;

/** Leases are renewed when they have lost this much of what they should be. */
const LEASE_LEFT = 0.9;

/** Resolves when every device was asked, or could not be; rejects only when the store fails. */
export async function collectAll(parts: CollectParts): Promise<void> {
  const rounds = new Map([...parts.devices].map(([name, device]) => [name, new Round(parts, device)]));
  const domains = new Map<DomainId, Domain | undefined>();
  for await (const page of pages(parts.store.unsettled())) {
    const watched = await parts.store.watched(page);
    for (const { mitigation } of watched)
      if (!domains.has(mitigation.domainId))
        domains.set(mitigation.domainId, await parts.store.domain(mitigation.domainId));
    // One device after the other would let a hanging one delay the rest.
    await Promise.all([...rounds.values()].map((round) => round.look(watched, (id) => domains.get(id))));
  }
}

class Round {
  readonly #parts: CollectParts;
  readonly #device: Device;
  #failures = 0;
  #reason = '';

  constructor(parts: CollectParts, device: Device) {
    this.#parts = parts;
    this.#device = device;
  }

  async look(
    watched: readonly WatchedMitigation[],
    domainOf: (id: DomainId) => Domain | undefined,
  ): Promise<void> {
    const { name } = this.#device.mitigator;
    await Promise.all(
      watched.map(async ({ mitigation, reports }) => {
        const domain = domainOf(mitigation.domainId);
        const report = reports.find(({ mitigator }) => mitigator === name);
        const choice = choiceOf(domain, name);
        const isWanted = mitigation.desired === 'present' && choice !== undefined;
        if (!isWanted) {
          const mayHold = report !== undefined && report.state !== 'removed' && report.state !== 'refused';
          if (mayHold) await this.#actAfresh(mitigation);
          return;
        }
        if (domain === undefined) return;
        const now = this.#parts.clock.epochSeconds();
        const planned = makePlan(mitigation, domain, choice, this.#device.mitigator.capabilities, now);
        if (planned.planned) await this.#lookAt(mitigation, planned.plan, report);
        else if (report?.generation !== mitigation.generation || report.state !== 'refused')
          await this.#actAfresh(mitigation);
      }),
    );
  }

  async #lookAt(mitigation: Mitigation, plan: Plan, report: MitigationReport | undefined): Promise<void> {
    const { mitigator, gate } = this.#device;
    let collected: Collected | 'spared' | undefined;
    try {
      // Asked behind the gate: by then the ones before have failed.
      collected = await gate.run<Collected | 'spared' | undefined>(() =>
        this.#failures >= FAILURES_IN_A_ROW ? Promise.resolve('spared') : mitigator.collect(plan),
      );
      if (collected === 'spared') {
        await this.#cannotTell(mitigation, plan, report);
        return;
      }
      this.#failures = 0;
    } catch (error) {
      this.#parts.trace({
        type: 'driver-failed',
        mitigator: mitigator.name,
        call: 'collect',
        reason: reasonOf(error),
      });
      this.#failures++;
      this.#reason = reasonOf(error);
      return this.#cannotTell(mitigation, plan, report);
    }
    const isLeaseShort =
      collected?.leaseSeconds !== undefined && collected.leaseSeconds < plan.leaseSeconds * LEASE_LEFT;
    if (collected === undefined || isLeaseShort) await this.#actAfresh(mitigation);
    else await this.#write(mitigation, { actualTargets: reachOf(plan), ...collected }, report);
  }

  /** No proof, no claim: it may still be there, but nobody can say so. */
  async #cannotTell(mitigation: Mitigation, plan: Plan, report: MitigationReport | undefined): Promise<void> {
    if (report?.state === 'failed' && report.generation === mitigation.generation) return;
    const reason = `cannot be asked: ${this.#reason}`;
    await this.#write(mitigation, { state: 'pending', actualTargets: reachOf(plan), reason }, report);
  }

  /** The record may have moved on since it was read: looked at again, alone, before anything is changed. */
  async #actAfresh({ domainId, cuid, mid }: Mitigation): Promise<void> {
    const { store, lock } = this.#parts;
    const { name } = this.#device.mitigator;
    await lock.run(lockKey(name, { domainId, cuid, mid }), async () => {
      const mitigation = await store.mitigation({ domainId, cuid, mid });
      if (mitigation !== undefined) await act(this.#parts, this.#device, mitigation, false);
    });
  }

  async #write(
    mitigation: Mitigation,
    said: Parameters<typeof reportOf>[2],
    previous: MitigationReport | undefined,
  ): Promise<void> {
    const now = this.#parts.clock.epochSeconds();
    const report = reportOf(mitigation, this.#device.mitigator, said, previous, now);
    if (previous === undefined || !isSameReport(report, previous)) await this.#parts.store.putReport(report);
  }
}

async function* pages(mitigations: AsyncIterable<Mitigation>): AsyncGenerator<readonly Mitigation[]> {
  let page: Mitigation[] = [];
  for await (const mitigation of mitigations) {
    page.push(mitigation);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
