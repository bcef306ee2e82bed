/** The store that a test of the contract has in hand, and the one step it takes again and again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Commit, CommitResult, Store } from '#core/ports/store.ts';
import type { ManualClock } from '#test/support/manual-clock.ts';
import { DEMO } from '#test/support/records.ts';

export interface StoreUnderTest {
  readonly store: Store;
  readonly clock: ManualClock;
}

/** Commits at the version the domain has now. */
export async function commit(it: StoreUnderTest, changes: Partial<Commit> = {}): Promise<CommitResult> {
  const domainId = changes.domainId ?? DEMO;
  const snapshot = await it.store.snapshot(domainId, Number.MAX_SAFE_INTEGER);
  return it.store.commit({
    domainId,
    expectedSv: snapshot?.sv ?? -1,
    mitigations: [],
    audit: [],
    ...changes,
  });
}

export const ATTEMPTS = 4;

/**
 * As a decision does it: read, try, and after a while read again when somebody was first. Resolves to the version it got,
 * or undefined after several losses. `contender` numbers those who try at once, so that they spread.
 */
export async function commitWithRetries(
  it: StoreUnderTest,
  contender: number,
  changes: Partial<Commit>,
): Promise<number | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const result = await commit(it, changes);
    if (result.ok) return result.sv;
    if (result.reason !== 'lock-lost') throw new Error(result.reason);
    await pause(((contender * 37) % 200) * attempt * 0.5);
  }
  return undefined;
}
