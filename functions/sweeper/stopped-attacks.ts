/**
 * Loss-triggered mitigations whose attack has stopped: no client may be there to withdraw them, so their mitigators' word
 * does (RFC 9132 §4.4.4, Table 3). What an immediate request sees as status 3 stays until its client ends it.
 */
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { Store } from '#core/ports/store.ts';

export interface StoppedAttacksDeps {
  readonly store: Pick<Store, 'unsettled' | 'watched'>;
  readonly requestMitigation: Functions['requestMitigation'];
  readonly clock: Pick<Clock, 'epochSeconds'>;
}

/** Returns a round over all that is active, for every half minute or so; it resolves to how many attacks have stopped. */
export function createStoppedAttacks(deps: StoppedAttacksDeps): () => Promise<number> {
  const { store, requestMitigation, clock } = deps;
  return async () => {
    const triggeredByLoss: Mitigation[] = [];
    for await (const mitigation of store.unsettled()) {
      if (!mitigation.triggerMitigation && mitigation.status === 'inProgress')
        triggeredByLoss.push(mitigation);
    }
    if (triggeredByLoss.length === 0) return 0;
    const now = clock.epochSeconds();
    const stopped = (await store.watched(triggeredByLoss)).filter(
      ({ mitigation, reports }) => visibleStatus(mitigation, reports, now).status === 'stopped',
    );
    for (const { domainId, cuid, mid, generation } of stopped.map(({ mitigation }) => mitigation)) {
      await requestMitigation({ domainId, commands: [{ type: 'attack-stopped', cuid, mid, generation }] });
    }
    return stopped.length;
  };
}
