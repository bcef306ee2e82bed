/** What every store has to keep, whatever it is made of. */

import type { Store } from '#core/ports/store.ts';
import type { ManualClock } from '#test/support/manual-clock.ts';
import { makeDomain, OTHER } from '#test/support/records.ts';
import { describeCommit } from './store-commit.ts';
import { describeMitigations } from './store-mitigations.ts';
import { describeRegistry } from './store-registry.ts';
import { describeReports } from './store-reports.ts';
import { describeSnapshot } from './store-snapshot.ts';
import { describeTombstones } from './store-tombstones.ts';
import type { StoreUnderTest } from './store-under-test.ts';

export interface OpenedStore extends StoreUnderTest {
  /** Closes the store and takes away what it was made of. */
  readonly end: () => Promise<void>;
}

/** Runs the contract on fresh stores, one for each test, with the domains `demo` and `other` in them. */
export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore;
    const it: StoreUnderTest = {
      get store(): Store {
        return opened.store;
      },
      get clock(): ManualClock {
        return opened.clock;
      },
    };

    beforeEach(async () => {
      opened = await open();
      await it.store.putDomain(makeDomain());
      await it.store.putDomain(makeDomain({ id: OTHER, name: 'Other', prefixes: ['203.0.113.0/24'] }));
    });
    afterEach(() => opened.end());

    describeRegistry(it);
    describeSnapshot(it);
    describeCommit(it);
    describeMitigations(it);
    describeReports(it);
    describeTombstones(it);
  });
}
