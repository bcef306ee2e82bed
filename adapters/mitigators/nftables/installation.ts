/** What the table holds: one listing, read for what concerns mitigations. */
import type { Counters } from '#core/model/mitigation.ts';
import type { NftElement, NftObject } from './nft.ts';
import { HOOK_CHAIN, isMitigationName, type Ruleset, setName } from './ruleset.ts';

interface Jump {
  readonly handle: number;
  readonly comment: string;
}

export class Installation {
  readonly isEmpty: boolean;
  readonly counters = new Map<string, Counters>();
  readonly sets = new Map<string, readonly NftElement[]>();
  /** How many rules each chain holds. */
  readonly chains = new Map<string, number>();
  readonly #jumps = new Map<string, Jump[]>();

  constructor(objects: readonly NftObject[]) {
    this.isEmpty = objects.length === 0;
    for (const { counter, set, chain, rule } of objects) {
      if (counter !== undefined)
        this.counters.set(counter.name, {
          bytesDropped: BigInt(counter.bytes),
          packetsDropped: BigInt(counter.packets),
        });
      if (set !== undefined) this.sets.set(set.name, set.elem ?? []);
      if (chain !== undefined) this.chains.set(chain.name, this.chains.get(chain.name) ?? 0);
      if (rule !== undefined) this.chains.set(rule.chain, (this.chains.get(rule.chain) ?? 0) + 1);
      if (rule?.chain === HOOK_CHAIN) this.#addJump(rule.handle, rule.comment ?? '');
    }
  }

  /** Mitigations of which anything is there. */
  names(): readonly string[] {
    const bases = [...this.counters.keys(), ...this.chains.keys(), ...this.#jumps.keys()];
    const ofSets = [...this.sets.keys()].map((set) => set.split('_')[0] ?? '');
    return [...new Set([...bases, ...ofSets])].filter(isMitigationName);
  }

  jumpsOf(name: string): readonly Jump[] {
    return this.#jumps.get(name) ?? [];
  }

  /** True when all of the ruleset is there, and in effect: elements whose lease is over are gone. */
  holds({ name, elements, rules, comment }: Ruleset): boolean {
    const families = ([4, 6] as const).filter((family) => elements[family].length > 0);
    const jumps = this.jumpsOf(name);
    return (
      jumps.length === families.length &&
      jumps.every((jump) => jump.comment === comment) &&
      this.chains.get(name) === rules.length &&
      families.every((family) => this.sets.get(setName(name, family))?.length === elements[family].length)
    );
  }

  /** Seconds until the first of its targets is given up. */
  leaseOf(name: string): number | undefined {
    const expiries = this.#elementsOf(name).flatMap(({ elem }) =>
      elem?.expires === undefined ? [] : [elem.expires],
    );
    return expiries.length === 0 ? undefined : Math.min(...expiries);
  }

  firstTarget(name: string): string | undefined {
    const value = this.#elementsOf(name)[0]?.elem?.val;
    if (value === undefined || typeof value === 'string') return value;
    return value.prefix === undefined ? undefined : `${value.prefix.addr}/${value.prefix.len}`;
  }

  #elementsOf(name: string): readonly NftElement[] {
    return [...(this.sets.get(setName(name, 4)) ?? []), ...(this.sets.get(setName(name, 6)) ?? [])];
  }

  #addJump(handle: number, comment: string): void {
    const name = comment.split(' ')[0] ?? '';
    const jumps = this.#jumps.get(name);
    if (jumps === undefined) this.#jumps.set(name, [{ handle, comment }]);
    else jumps.push({ handle, comment });
  }
}
