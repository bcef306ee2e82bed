/** The drivers that config.yaml names, and the operators' one that is always there. */

import { systemClock } from '#adapters/clock/system-clock.ts';
import { openOrders } from '#adapters/mitigators/alert/orders.ts';
import { buildMitigators } from '#adapters/mitigators/registry.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import type { Config } from '../config/schema.ts';
import type { Home } from '../home.ts';
import type { Log } from './log.ts';
import { StartRefused } from './start-refused.ts';

/** Throws `StartRefused` when two of them would own one device, or a file that one names cannot be read. */
export function openMitigators(home: Home, config: Config, log: Log): ReadonlyMap<string, Mitigator> {
  try {
    return buildMitigators(config.mitigators ?? {}, {
      clock: systemClock,
      orders: openOrders(home.orders),
      notify: (line) => log({ event: 'order', order: JSON.parse(line) as unknown }),
    });
  } catch (error) {
    throw new StartRefused(`${home.config}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
