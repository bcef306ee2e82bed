/**
 * Time as a requester: lifetimes and terminating periods that are over are settled by the same decision as any request,
 * and tombstones that every observer and mitigator has seen are deleted.
 */
import type { Command } from '#core/mitigation/command.ts';
import { MOST_SETTLED } from '#core/mitigation/settle-due.ts';
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

/** One page is settled per round; a sweep ends after this many and goes on the next time. */
const MOST_ROUNDS = 100;

/** Returns a sweep: it resolves to how many due records it came upon; a decision may settle others along with them. */
export function createSweeper(deps: SweeperDeps): () => Promise<number> {
  const { store, clock } = deps;
  return async () => {
    const now = clock.epochSeconds();
    const seen = new Set<string>();
    const failures: unknown[] = [];
    let page = FIRST_PAGE;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const due = await store.due(now, page);
      const fresh = due.filter((key) => !seen.has(textOf(key)));
      for (const key of due) seen.add(textOf(key));
      if (fresh.length === 0) {
        if (due.length < page) break;
        // Tombstones whose mitigators have not confirmed yet stay due: they must not hide what is due behind them.
        page *= 2;
        continue;
      }
      for (const [domainId, keys] of Map.groupBy(fresh, (key) => key.domainId)) {
        // One domain that cannot be settled is no reason to leave the others.
        await settle(deps, domainId, keys).catch((error: unknown) => failures.push(error));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some domains could not be swept');
    return seen.size;
  };
}

async function settle(deps: SweeperDeps, domainId: DomainId, keys: readonly MitigationKey[]): Promise<void> {
  const rounds = Math.ceil(keys.length / MOST_SETTLED);
  await deps.requestMitigation({ domainId, commands: new Array<Command>(rounds).fill({ type: 'due' }) });
  for (const key of keys) await deps.store.forget(key);
}

const textOf = ({ domainId, cuid, mid }: MitigationKey): string => `${domainId}#${cuid}#${mid}`;
