/**
 * Who names an address: a path-compressed binary trie over prefixes. A look-up walks at most one node per bit of the
 * prefix, then only what it returns; it never depends on how many prefixes are stored beside it.
 */
import type { IpFamily, IpPrefix } from '../model/ip-prefix.ts';

interface Node {
  readonly prefix: IpPrefix;
  readonly holders: Set<string>;
  zero: Node | undefined;
  one: Node | undefined;
}

/** Index steps taken so far: what the tests hold flat. */
export interface ProbeCount {
  probes: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

export class PrefixIndex {
  readonly #roots: Record<IpFamily, Node | undefined> = { 4: undefined, 6: undefined };
  readonly #count: ProbeCount;

  constructor(count: ProbeCount) {
    this.#count = count;
  }

  add(prefix: IpPrefix, holder: string): void {
    this.#roots[prefix.family] = place(this.#roots[prefix.family], prefix, holder);
  }

  remove(prefix: IpPrefix, holder: string): void {
    this.#roots[prefix.family] = take(this.#roots[prefix.family], prefix, holder);
  }

  /** Adds to `found` every holder of a prefix that shares an address with `prefix`. */
  collectOverlapping(prefix: IpPrefix, found: Set<string>): void {
    let node = this.#roots[prefix.family];
    while (node !== undefined) {
      this.#count.probes++;
      const common = commonLength(node.prefix, prefix);
      if (common === prefix.length) {
        this.#collectAll(node, found);
        return;
      }
      if (common < node.prefix.length) return;
      for (const holder of node.holders) found.add(holder);
      node = node[side(prefix, common)];
    }
  }

  #collectAll(node: Node | undefined, found: Set<string>): void {
    if (node === undefined) return;
    this.#count.probes++;
    for (const holder of node.holders) found.add(holder);
    this.#collectAll(node.zero, found);
    this.#collectAll(node.one, found);
  }
}

function place(node: Node | undefined, prefix: IpPrefix, holder: string): Node {
  if (node === undefined) return leaf(prefix, [holder]);
  const common = commonLength(node.prefix, prefix);
  if (common === node.prefix.length) {
    if (common === prefix.length) node.holders.add(holder);
    else node[side(prefix, common)] = place(node[side(prefix, common)], prefix, holder);
    return node;
  }
  const above = common === prefix.length ? leaf(prefix, [holder]) : leaf(truncate(prefix, common), []);
  above[side(node.prefix, common)] = node;
  if (common < prefix.length) above[side(prefix, common)] = leaf(prefix, [holder]);
  return above;
}

function take(node: Node | undefined, prefix: IpPrefix, holder: string): Node | undefined {
  if (node === undefined || commonLength(node.prefix, prefix) < node.prefix.length) return node;
  if (node.prefix.length === prefix.length) node.holders.delete(holder);
  else {
    const branch = side(prefix, node.prefix.length);
    node[branch] = take(node[branch], prefix, holder);
  }
  if (node.holders.size > 0 || (node.zero !== undefined && node.one !== undefined)) return node;
  return node.zero ?? node.one;
}

function leaf(prefix: IpPrefix, holders: readonly string[]): Node {
  return { prefix, holders: new Set(holders), zero: undefined, one: undefined };
}

/** Leading bits that both have in common, at most the shorter length. */
function commonLength(left: IpPrefix, right: IpPrefix): number {
  const shorter = Math.min(left.length, right.length);
  const difference = left.address ^ right.address;
  if (difference === 0n) return shorter;
  return Math.min(shorter, WIDTH[left.family] - difference.toString(2).length);
}

function side(prefix: IpPrefix, index: number): 'zero' | 'one' {
  return (prefix.address >> BigInt(WIDTH[prefix.family] - 1 - index)) & 1n ? 'one' : 'zero';
}

function truncate(prefix: IpPrefix, length: number): IpPrefix {
  const hostBits = BigInt(WIDTH[prefix.family] - length);
  return { family: prefix.family, address: (prefix.address >> hostBits) << hostBits, length };
}
