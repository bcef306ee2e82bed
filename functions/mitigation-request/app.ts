/**
 * Commands of one domain in, one answer per command out: load what changed, decide the whole batch, commit under the
 * domain's version. Only this function writes mitigations.
 */
import { setTimeout as pauseFor } from 'node:timers/promises';
import type { Command } from '#core/mitigation/command.ts';
import { namesToResolve } from '#core/mitigation/decide.ts';
import type { DomainView } from '#core/mitigation/domain-view.ts';
import type { Clock, Random } from '#core/ports/clock.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import type { Resolver } from '#core/ports/resolver.ts';
import type { Store } from '#core/ports/store.ts';
import { Authors } from './authors.ts';
import { settleBatch, UNKNOWN_DOMAIN } from './batch.ts';
import { DomainCache } from './domain-cache.ts';
import { Names } from './names.ts';
import { Turns } from './turns.ts';

export interface MitigationRequestDeps {
  readonly store: Pick<Store, 'snapshot' | 'identity' | 'commit'>;
  readonly resolver: Resolver;
  readonly clock: Pick<Clock, 'epochSeconds'>;
  /** Spreads retries. */
  readonly random: Pick<Random, 'fraction'>;
  /** Waits so many milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
}

const FIRST_BACK_OFF_MS = 10;

/**
 * A failing store rejects the returned promise; everything a peer can cause is an answer. Batches of one domain are
 * settled one after another, those of different domains side by side.
 */
export function createMitigationRequest(
  deps: MitigationRequestDeps,
): (event: MitigationRequestEvent) => Promise<MitigationRequestResult> {
  const { store, resolver, clock, random, pause = pauseFor } = deps;
  const cache = new DomainCache(store);
  const turns = new Turns();

  const backOff = async (attempt: number): Promise<void> => {
    await pause(random.fraction() * FIRST_BACK_OFF_MS * 2 ** attempt);
  };

  const settle = async (
    { domainId, commands }: MitigationRequestEvent,
    names: Names,
  ): Promise<MitigationRequestResult> => {
    const now = clock.epochSeconds();
    const refreshed = (): Promise<DomainView | undefined> => cache.fresh(domainId, now);
    const [view, authors] = await Promise.all([refreshed(), Authors.of(store, domainId, commands)]);
    if (view === undefined) return { answers: commands.map(() => UNKNOWN_DOMAIN), sv: 0, at: now };
    try {
      const batch = { store, names, authors, now, refreshed, backOff };
      const settled = await settleBatch(view, commands, batch);
      return { answers: settled.answers, sv: settled.view.sv, at: now };
    } catch (error) {
      cache.forget(domainId);
      throw error;
    }
  };

  /** Names are resolved before the domain's turn: a slow name server holds up nobody else. */
  const resolveNames = async (
    { domainId, commands }: MitigationRequestEvent,
    names: Names,
  ): Promise<void> => {
    const puts = commands.filter(mayNeedNames);
    if (puts.length === 0) return;
    const now = clock.epochSeconds();
    const view = await turns.take(domainId, () => cache.fresh(domainId, now));
    if (view === undefined) return;
    await names.resolve(puts.flatMap((command) => namesToResolve(view, command, now)));
  };

  return async (event) => {
    const names = new Names(resolver);
    await resolveNames(event, names);
    return turns.take(event.domainId, () => settle(event, names));
  };
}

function mayNeedNames(command: Command): boolean {
  if (command.type !== 'put') return false;
  const { targetFqdns, targetUris, aliasNames } = command.scope;
  return targetFqdns.length + targetUris.length + aliasNames.length > 0;
}
