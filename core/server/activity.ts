/**
 * Which identities of a domain have mitigations under way, and for which of their clients the loss of the session would
 * trigger one: kept up from the store's changes, so that sessions know their configuration set (RFC 9132 §4.5) and a lost
 * one what to trigger (§4.7) even if they never named a cuid.
 */
import type { Cdid, Cuid, IdentityId } from '../model/identifiers.ts';
import type { Mitigation } from '../model/mitigation.ts';

export interface PreconfiguredClient {
  readonly cuid: Cuid;
  readonly cdid?: Cdid;
}

interface IdentityActivity {
  readonly active: Set<string>;
  /** By record, whose client it is. */
  readonly waiting: Map<string, PreconfiguredClient>;
}

export class DomainActivity {
  readonly #identities = new Map<IdentityId, IdentityActivity>();

  /** Takes over changed records, tombstones included; returns the identities whose activity began or ended. */
  apply(changed: readonly Mitigation[]): IdentityId[] {
    const before = new Map<IdentityId, boolean>();
    for (const mitigation of changed) {
      const { identityId } = mitigation;
      if (!before.has(identityId)) before.set(identityId, this.isMitigating(identityId));
      this.#take(mitigation);
    }
    return [...before].filter(([id, was]) => was !== this.isMitigating(id)).map(([id]) => id);
  }

  /** True while a mitigation is active, terminating ones included: then `mitigating-config` applies. */
  isMitigating(identityId: IdentityId): boolean {
    return (this.#identities.get(identityId)?.active.size ?? 0) > 0;
  }

  /** Clients of the identity with a request that waits for the loss of their session. */
  preconfigured(identityId: IdentityId): PreconfiguredClient[] {
    const clients = new Map<string, PreconfiguredClient>();
    for (const client of this.#identities.get(identityId)?.waiting.values() ?? [])
      clients.set(`${client.cdid ?? ''}#${client.cuid}`, client);
    return [...clients.values()];
  }

  #take(mitigation: Mitigation): void {
    const { identityId, cuid, cdid, mid, status, removedAt } = mitigation;
    const activity = this.#identities.get(identityId) ?? { active: new Set(), waiting: new Map() };
    const record = `${cuid}#${mid}`;
    activity.active.delete(record);
    activity.waiting.delete(record);
    if (removedAt === undefined) {
      if (status === 'inProgress' || status === 'activeButTerminating') activity.active.add(record);
      if (status === 'signalLoss')
        activity.waiting.set(record, cdid === undefined ? { cuid } : { cuid, cdid });
    }
    if (activity.active.size === 0 && activity.waiting.size === 0) this.#identities.delete(identityId);
    else this.#identities.set(identityId, activity);
  }
}
