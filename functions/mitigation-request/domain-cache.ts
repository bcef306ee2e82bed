/** The views of the domains that this process has decided for, each kept up with what changed since. */
import type { EpochSeconds } from '#core/base/time.ts';
import { DomainView } from '#core/mitigation/domain-view.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';

const MOST_DOMAINS = 500;

export class DomainCache {
  readonly #store: Pick<Store, 'snapshot'>;
  /** In the order of use, the least recent first. */
  readonly #views = new Map<DomainId, DomainView>();

  constructor(store: Pick<Store, 'snapshot'>) {
    this.#store = store;
  }

  /** The view as the store has it now, or undefined when there is no such domain. */
  async fresh(id: DomainId, now: EpochSeconds): Promise<DomainView | undefined> {
    const known = this.#views.get(id);
    this.#views.delete(id);
    const snapshot = await this.#store.snapshot(id, known?.sv);
    if (snapshot === undefined) return undefined;
    const view = known ?? new DomainView(snapshot);
    if (known !== undefined) known.update(snapshot);
    view.pruneTombstones(now);
    this.#views.set(id, view);
    const [leastRecent] = this.#views.keys();
    if (this.#views.size > MOST_DOMAINS && leastRecent !== undefined) this.#views.delete(leastRecent);
    return view;
  }

  /** After a commit whose outcome is unknown: the next reader starts from the store. */
  forget(id: DomainId): void {
    this.#views.delete(id);
  }
}
