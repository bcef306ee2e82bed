/** The drivers that config.yaml names, and the operators' one that is always there. */

import { resolve } from 'node:path';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { openOrders } from '#adapters/mitigators/alert/orders.ts';
import { buildMitigators } from '#adapters/mitigators/registry.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import type { Config } from '../config/schema.ts';
import type { Home } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import type { Log } from './log.ts';

/** Throws `OperatorError` when two of them would own one device, or a file that one names cannot be read. */
export function openMitigators(home: Home, config: Config, log: Log): ReadonlyMap<string, Mitigator> {
  try {
    return buildMitigators(withFilesIn(home.folder, config.mitigators ?? {}), {
      clock: systemClock,
      orders: openOrders(home.orders),
      notify: (line) => log({ event: 'order', order: JSON.parse(line) as unknown }),
    });
  } catch (error) {
    throw new OperatorError(`${home.config}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Files that the configuration names are looked for beside it: `secretFile`, `caFile`, …, at any depth. */
function withFilesIn<T extends object>(folder: string, config: T): T {
  const entries = Object.entries(config).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'string' && key.endsWith('File')) return [key, resolve(folder, value)];
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return [key, isNested ? withFilesIn(folder, value) : value];
  });
  return Object.fromEntries(entries) as T;
}
