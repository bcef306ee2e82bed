/** What time alone decides: lifetimes and terminating periods that are over (RFC 9132 §4.4.1.1, §4.4.4). */
import type { EpochSeconds } from '../base/time.ts';
import type { Proposal } from './decision.ts';
import type { DomainView } from './domain-view.ts';
import { transition } from './transitions.ts';

/** Records per decision: who wants all of them settled asks until nothing is written. */
const MOST_SETTLED = 80;

export function settleDue(view: DomainView, now: EpochSeconds): Proposal {
  const writes = view
    .due(now)
    .slice(0, MOST_SETTLED)
    .map((mitigation) => {
      const type = mitigation.status === 'activeButTerminating' ? 'periodElapsed' : 'lifetimeElapsed';
      return transition(mitigation, { type }, now);
    });
  return { answer: { result: 'done' }, writes };
}
