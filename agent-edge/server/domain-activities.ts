/** Which identities are mitigating, for every domain with a session here: read from the store when it says so. */
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';
import { DomainActivity, type PreconfiguredClient } from '#core/server/activity.ts';
import { errorText, type SignalLog } from './signal-event.ts';

interface WatchedDomain {
  readonly activity: DomainActivity;
  sessions: number;
  sv: number | undefined;
  reading: boolean;
  /** Something may have changed since the reading under way began. */
  stale: boolean;
}

export interface ActivitiesDeps {
  readonly store: Pick<Store, 'snapshot'>;
  readonly log: SignalLog;
  readonly changed: (identityId: IdentityId, isMitigating: boolean) => void;
}

export class DomainActivities {
  readonly #deps: ActivitiesDeps;
  readonly #domains = new Map<DomainId, WatchedDomain>();

  constructor(deps: ActivitiesDeps) {
    this.#deps = deps;
  }

  /** A session of the domain is here; `release` is called when it has gone. */
  retain(domainId: DomainId): void {
    const domain = this.#domains.get(domainId);
    if (domain !== undefined) {
      domain.sessions++;
      return;
    }
    const activity = new DomainActivity();
    this.#domains.set(domainId, { activity, sessions: 1, sv: undefined, reading: false, stale: true });
    this.refresh(domainId);
  }

  release(domainId: DomainId): void {
    const domain = this.#domains.get(domainId);
    if (domain !== undefined && --domain.sessions === 0) this.#domains.delete(domainId);
  }

  isMitigating(domainId: DomainId, identityId: IdentityId): boolean {
    return this.#domains.get(domainId)?.activity.isMitigating(identityId) ?? false;
  }

  preconfigured(domainId: DomainId, identityId: IdentityId): PreconfiguredClient[] {
    return this.#domains.get(domainId)?.activity.preconfigured(identityId) ?? [];
  }

  refreshAll(): void {
    for (const domainId of this.#domains.keys()) this.refresh(domainId);
  }

  /** Reads what has changed; calls that come during a reading cause one more after it. */
  refresh(domainId: DomainId): void {
    const domain = this.#domains.get(domainId);
    if (domain === undefined) return;
    domain.stale = true;
    if (!domain.reading) void this.#read(domainId, domain);
  }

  async #read(domainId: DomainId, domain: WatchedDomain): Promise<void> {
    domain.reading = true;
    try {
      while (domain.stale) {
        domain.stale = false;
        const snapshot = await this.#deps.store.snapshot(domainId, domain.sv);
        if (snapshot === undefined) break;
        domain.sv = snapshot.sv;
        for (const identityId of domain.activity.apply(snapshot.mitigations))
          this.#deps.changed(identityId, domain.activity.isMitigating(identityId));
      }
    } catch (error) {
      // The next refresh, at the latest by the server's own clock, reads the same changes again.
      this.#deps.log({ event: 'store-failed', during: 'snapshot', error: errorText(error) });
    } finally {
      domain.reading = false;
    }
  }
}
