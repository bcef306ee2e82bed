/** The Linux packet filter as a mitigator: exact counters, every rule with a lease. */
import type { Capabilities } from '#core/plan/plan.ts';
import { actualTargets } from '#core/plan/rules.ts';
import type { Health, Mitigator } from '#core/ports/mitigator.ts';
import { SharedReading } from '../shared-reading.ts';
import type { NftablesConfig } from './config.ts';
import { Installation } from './installation.ts';
import { createNft } from './nft.ts';
import {
  contentCommands,
  DELETE_TABLE,
  deleteObject,
  deleteRule,
  HOOK_CHAIN,
  jumpCommand,
  nameOf,
  rulesetOf,
  setName,
  TABLE,
  TABLE_COMMANDS,
} from './ruleset.ts';

const CAPABILITIES: Capabilities = {
  families: [4, 6],
  ports: true,
  protocols: true,
  profiles: ['limit', 'reflectors', 'blackhole'],
  counters: 'exact',
  maxRules: 1_000,
};

const FAMILIES = [4, 6] as const;

/** `collect` looks at many mitigations in a row: they share one listing. */
const LISTING_MS = 500;

export function createNftablesMitigator(name: string, config: NftablesConfig): Mitigator {
  const nft = createNft(config.netns);
  let last: Promise<unknown> = Promise.resolve();

  const look = async (): Promise<Installation> => new Installation(await nft.list(TABLE));
  const readings = new SharedReading(look, LISTING_MS);
  /** A look and the change that follows from it: one at a time, as handles are only good until the next change. */
  const change = (decide: (found: Installation) => readonly object[]): Promise<void> => {
    const done = last.then(async () => {
      const commands = decide(await look());
      if (commands.length > 0) await nft.apply(commands);
      readings.forget();
    });
    last = done.catch(() => undefined);
    return done;
  };

  return {
    name,
    capabilities: CAPABILITIES,
    keyOf: (plan) => nameOf(plan.key),

    async ensure(plan) {
      const wanted = rulesetOf(plan, config);
      await change((found) => {
        const jumps = found.jumpsOf(wanted.name);
        const used = FAMILIES.filter((family) => wanted.elements[family].length > 0);
        const isRight =
          jumps.length === used.length && jumps.every(({ comment }) => comment === wanted.comment);
        return [
          ...TABLE_COMMANDS,
          ...contentCommands(wanted, plan.leaseSeconds),
          ...(isRight
            ? []
            : [
                ...jumps.map(({ handle }) => deleteRule(HOOK_CHAIN, handle)),
                ...used.map((family) => jumpCommand(wanted, family)),
              ]),
          ...FAMILIES.filter((family) => !used.includes(family))
            .map((family) => setName(wanted.name, family))
            .filter((set) => found.sets.has(set))
            .map((set) => deleteObject('set', set)),
        ];
      });
      return { state: 'active', actualTargets: actualTargets(plan.profile, plan.targets) };
    },

    remove: (plan) => change((found) => removal(found, nameOf(plan.key))),

    async collect(plan) {
      const found = await readings.recent();
      const wanted = rulesetOf(plan, config);
      const counter = found.counters.get(wanted.name);
      if (counter === undefined || !found.holds(wanted)) return undefined;
      const leaseSeconds = found.leaseOf(wanted.name);
      return { state: 'active', counters: counter, ...(leaseSeconds === undefined ? {} : { leaseSeconds }) };
    },

    async *list() {
      const found = await look();
      for (const key of found.names()) {
        const prefix = found.firstTarget(key);
        yield { key, refs: key, ...(prefix === undefined ? {} : { prefix }) };
      }
    },

    removeInstalled: ({ key }) => change((found) => removal(found, key)),

    health: () => healthOf(look),

    close: async () => {
      await last;
    },
  };
}

/** The last one takes the table along: nothing of ours stays behind. */
function removal(found: Installation, name: string): readonly object[] {
  const others = found.names().filter((other) => other !== name);
  if (others.length === 0) return found.isEmpty ? [] : [DELETE_TABLE];
  if (!found.names().includes(name)) return [];
  return [
    ...found.jumpsOf(name).map(({ handle }) => deleteRule(HOOK_CHAIN, handle)),
    ...(found.chains.has(name) ? [deleteObject('chain', name)] : []),
    ...FAMILIES.map((family) => setName(name, family))
      .filter((set) => found.sets.has(set))
      .map((set) => deleteObject('set', set)),
    ...(found.counters.has(name) ? [deleteObject('counter', name)] : []),
  ];
}

async function healthOf(look: () => Promise<Installation>): Promise<Health> {
  try {
    const found = await look();
    return { healthy: true, detail: `table inet ${TABLE} holds ${found.names().length} mitigations` };
  } catch (error) {
    return {
      healthy: false,
      detail: `${(error as Error).message}: nftables has to be installed and needs CAP_NET_ADMIN`,
    };
  }
}
