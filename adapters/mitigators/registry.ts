/** Drivers by name, as `mitigators:` of the provider's configuration has them. */
import { z } from 'zod';
import type { Clock } from '#core/ports/clock.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { createAlertMitigator } from './alert/alert.ts';
import { alertConfigSchema } from './alert/config.ts';
import type { Orders } from './alert/orders.ts';
import { gobgpConfigSchema } from './gobgp/config.ts';
import { createGobgpMitigator } from './gobgp/gobgp.ts';
import { nftablesConfigSchema } from './nftables/config.ts';
import { createNftablesMitigator } from './nftables/nftables.ts';
import { webhookConfigSchema } from './webhook/config.ts';
import { createWebhookMitigator } from './webhook/webhook.ts';

/** One entry of `mitigators:`. */
export const mitigatorConfigSchema = z.discriminatedUnion('driver', [
  gobgpConfigSchema,
  nftablesConfigSchema,
  webhookConfigSchema,
  alertConfigSchema,
]);

export type MitigatorConfig = z.output<typeof mitigatorConfigSchema>;

/** The mitigator that every deployment has: it asks the provider's operators. */
export const ALERT = 'alert';

export interface MitigatorDeps {
  readonly clock: Clock;
  readonly orders: Orders;
  /** One line of JSON for the provider's operators. */
  readonly notify: (line: string) => void;
}

/**
 * Builds every configured driver, and `alert` unless that name is configured. Throws when a file that the configuration
 * names cannot be read, or when two drivers would own the same device: each would take away what the other installed.
 */
export function buildMitigators(
  configs: Readonly<Record<string, MitigatorConfig>>,
  deps: MitigatorDeps,
): ReadonlyMap<string, Mitigator> {
  const devices = new Map<string, string>();
  const mitigators = new Map<string, Mitigator>();
  for (const [name, config] of Object.entries({ [ALERT]: { driver: 'alert' } as const, ...configs })) {
    const device = deviceOf(config);
    const other = device === undefined ? undefined : devices.get(device);
    if (other !== undefined)
      throw new Error(`mitigators ${other} and ${name} name the same device: keep one`);
    if (device !== undefined) devices.set(device, name);
    mitigators.set(name, build(name, config, deps));
  }
  return mitigators;
}

function build(name: string, config: MitigatorConfig, deps: MitigatorDeps): Mitigator {
  switch (config.driver) {
    case 'gobgp':
      return createGobgpMitigator(name, config);
    case 'nftables':
      return createNftablesMitigator(name, config);
    case 'webhook':
      return createWebhookMitigator(name, config, deps);
    case 'alert':
      return createAlertMitigator(name, deps);
  }
}

/** What a driver lists and reconciles as its own; undefined where it shares nothing. */
function deviceOf(config: MitigatorConfig): string | undefined {
  switch (config.driver) {
    case 'gobgp':
      return `gobgp ${config.address}`;
    case 'nftables':
      return `nftables ${config.netns ?? ''}`;
    case 'webhook':
    case 'alert':
      return undefined;
  }
}
