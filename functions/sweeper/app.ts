/**
 * Time as a requester: lifetimes and terminating periods that are over are settled by the same decision as any request,
 * and tombstones that every observer and mitigator has seen are deleted.
 */
import type { DomainId } from '#core/model/identifiers.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { Store } from '#core/ports/store.ts';

export interface SweeperDeps {
  readonly store: Pick<Store, 'due' | 'forget'>;
  readonly requestMitigation: Functions['requestMitigation'];
  readonly clock: Pick<Clock, 'epochSeconds'>;
}

const FIRST_PAGE = 100;

/** Decisions per domain and sweep; what is left then is due again in the next one. */
const MOST_DECISIONS = 1000;

/** Returns a sweep: it resolves to how many due records it came upon; a decision may settle others along with them. */
export function createSweeper(deps: SweeperDeps): () => Promise<number> {
  const { store, clock } = deps;
  return async () => {
    const now = clock.epochSeconds();
    const seen = new Set<string>();
    const swept = new Set<DomainId>();
    const failures: unknown[] = [];
    for (let page = FIRST_PAGE; ; ) {
      const due = await store.due(now, page);
      const fresh = due.filter((key) => !seen.has(textOf(key)));
      for (const [domainId, keys] of Map.groupBy(fresh, (key) => key.domainId)) {
        // One domain that cannot be settled is no reason to leave the others.
        await sweepDomain(deps, domainId, swept.has(domainId), keys).catch((error: unknown) =>
          failures.push(error),
        );
        swept.add(domainId);
      }
      for (const key of due) seen.add(textOf(key));
      if (due.length < page) break;
      // Tombstones whose mitigators have not confirmed yet stay due: they must not hide what is due behind them.
      if (fresh.length === 0) page *= 2;
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some domains could not be swept');
    return seen.size;
  };
}

async function sweepDomain(
  deps: SweeperDeps,
  domainId: DomainId,
  isSettled: boolean,
  keys: readonly MitigationKey[],
): Promise<void> {
  if (!isSettled) await settle(deps, domainId);
  for (const key of keys) await deps.store.forget(key);
}

/** A decision settles so many records; one that finds nothing leaves the domain's version as it is. */
async function settle({ requestMitigation }: SweeperDeps, domainId: DomainId): Promise<void> {
  let before: number | undefined;
  for (let decisions = 0; decisions < MOST_DECISIONS; decisions++) {
    const { sv } = await requestMitigation({ domainId, commands: [{ type: 'due' }] });
    if (sv === before) return;
    before = sv;
  }
}

const textOf = ({ domainId, cuid, mid }: MitigationKey): string => `${domainId}#${cuid}#${mid}`;
