/**
 * Operators as a mitigator (RFC 8811 §2.2.2: a translated request may be an alert to the provider's staff): each request
 * becomes a work order, and stays pending until one of them confirms or refuses it.
 */
import type { Plan } from '#core/plan/plan.ts';
import type { Collected, Mitigator } from '#core/ports/mitigator.ts';
import type { Order, Orders } from './orders.ts';

export interface AlertDeps {
  readonly orders: Orders;
  /** Told of every new and every withdrawn order, as one line of JSON: what pages someone. */
  readonly notify: (line: string) => void;
}

export function createAlertMitigator(name: string, { orders, notify }: AlertDeps): Mitigator {
  const tell = (event: string, order: Order): void => notify(JSON.stringify({ event, ...order }));
  return {
    name,
    capabilities: {
      families: [4, 6],
      ports: true,
      protocols: true,
      profiles: ['divert', 'limit', 'reflectors', 'blackhole'],
      counters: 'none',
      maxRules: 100_000,
    },
    keyOf: ({ key }) => keyText(key),

    async ensure(plan) {
      const known = await orders.get(name, plan.key);
      if (known?.generation === plan.generation) return { ...stateOf(known), actualTargets: plan.targets };
      const order: Order = { ...orderOf(name, plan), state: 'open' };
      await orders.put(order);
      tell('mitigation.ensure', order);
      return { ...stateOf(order), actualTargets: plan.targets };
    },

    async remove({ key }) {
      const order = await orders.get(name, key);
      if (order === undefined) return;
      tell('mitigation.remove', order);
      await orders.delete(name, key);
    },

    async collect(plan) {
      const order = await orders.get(name, plan.key);
      return order?.generation === plan.generation ? stateOf(order) : undefined;
    },

    async *list() {
      for (const order of await orders.list()) {
        if (order.mitigator !== name) continue;
        const prefix = order.targets[0]?.prefix;
        yield { key: keyText(order), refs: order, ...(prefix === undefined ? {} : { prefix }) };
      }
    },

    async removeInstalled({ refs }) {
      const order = refs as Order;
      tell('mitigation.remove', order);
      await orders.delete(name, order);
    },

    async health() {
      const open = (await orders.list()).filter((order) => order.state === 'open').length;
      return { healthy: true, detail: `${open} orders wait for an operator: tocsin mitigator orders` };
    },

    close: () => Promise.resolve(),
  };
}

function stateOf({ state, reason = 'refused by an operator' }: Order): Collected & {
  readonly state: 'active' | 'pending' | 'refused';
} {
  switch (state) {
    case 'confirmed':
      return { state: 'active' };
    case 'open':
      return { state: 'pending', reason: 'waits for an operator' };
    case 'refused':
      return { state: 'refused', reason };
  }
}

function orderOf(mitigator: string, plan: Plan): Omit<Order, 'state'> {
  const { key, generation, profile, targets, lifetimeSeconds } = plan;
  return { mitigator, ...key, generation, profile, targets, lifetimeSeconds };
}

const keyText = ({ domainId, cuid, mid }: { domainId: string; cuid: string; mid: number }): string =>
  `${domainId}/${cuid}/${mid}`;
