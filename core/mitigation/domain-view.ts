/**
 * One domain as decisions see it: the store's snapshot, indexed. Built once, then kept up with what changed, so that a
 * decision costs the same with ten active mitigations as with fifty thousand. Readers change nothing.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Alias } from '../model/alias.ts';
import type { Domain } from '../model/domain.ts';
import type { Cdid, Cuid, IdentityId, Mid } from '../model/identifiers.ts';
import type { Mitigation } from '../model/mitigation.ts';
import { DueIndex } from './due-index.ts';
import { type Footprint, footprintOf, holderOf, termsOf } from './footprint.ts';
import { dueAt } from './lifetime.ts';
import type { OwnedResources } from './ownership.ts';
import { ownedResources } from './ownership.ts';
import { PrefixIndex, type ProbeCount } from './prefix-index.ts';

/** What the store hands over: all of a domain, or what changed since a version. */
export interface Snapshot {
  readonly sv: number;
  readonly domain: Domain;
  readonly mitigations: readonly Mitigation[];
  readonly aliases: readonly Alias[];
}

interface Client {
  readonly identityId: IdentityId;
  readonly cdid: Cdid | undefined;
  /** Records of the client, tombstones included. */
  count: number;
}

export class DomainView {
  readonly cost: ProbeCount = { probes: 0 };
  #sv = -1;
  #domain: Domain;
  #owned: OwnedResources;
  #aliases: ReadonlyMap<string, Alias> = new Map();
  #liveCount = 0;
  readonly #records = new Map<string, Mitigation>();
  readonly #clients = new Map<Cuid, Client>();
  /** Holders of requests with trigger-mitigation false, by client. */
  readonly #preconfigured = new Map<Cuid, Set<string>>();
  readonly #prefixes = new PrefixIndex(this.cost);
  readonly #terms = new Map<string, Set<string>>();
  readonly #due = new DueIndex();

  constructor(snapshot: Snapshot) {
    this.#domain = snapshot.domain;
    this.#owned = ownedResources(snapshot.domain);
    this.update(snapshot);
  }

  /** Takes over a newer snapshot, complete or since `sv`. */
  update(snapshot: Snapshot): void {
    this.#sv = snapshot.sv;
    if (JSON.stringify(snapshot.domain) !== JSON.stringify(this.#domain)) {
      this.#domain = snapshot.domain;
      this.#owned = ownedResources(snapshot.domain);
    }
    this.#aliases = new Map(snapshot.aliases.map((alias) => [`${alias.cuid}#${alias.name}`, alias]));
    applyChanges(this, snapshot.mitigations);
  }

  get sv(): number {
    return this.#sv;
  }

  get domain(): Domain {
    return this.#domain;
  }

  get owned(): OwnedResources {
    return this.#owned;
  }

  /** Records that are not tombstones. */
  get liveCount(): number {
    return this.#liveCount;
  }

  committed(sv: number): void {
    this.#sv = sv;
  }

  /** The record as stored, tombstones included. */
  record(cuid: Cuid, mid: Mid): Mitigation | undefined {
    this.cost.probes++;
    return this.#records.get(holderOf({ cuid, mid }));
  }

  /** Whose cuid it is, as far as the domain's records tell; undefined when it has none. */
  client(cuid: Cuid): { readonly identityId: IdentityId; readonly cdid: Cdid | undefined } | undefined {
    this.cost.probes++;
    return this.#clients.get(cuid);
  }

  alias(cuid: Cuid, name: string, now: EpochSeconds): Alias | undefined {
    const alias = this.#aliases.get(`${cuid}#${name}`);
    return alias?.expiresAt !== undefined && alias.expiresAt <= now ? undefined : alias;
  }

  /** Live records of the client with trigger-mitigation false, by ascending mid. */
  preconfigured(cuid: Cuid): Mitigation[] {
    return this.#read(this.#preconfigured.get(cuid) ?? []).sort((left, right) => left.mid - right.mid);
  }

  /** Live records that overlap with the footprint, of all clients, by cuid and mid. */
  overlapping(footprint: Footprint): Mitigation[] {
    const found = new Set<string>();
    for (const prefix of footprint.prefixes) this.#prefixes.collectOverlapping(prefix, found);
    for (const term of termsOf(footprint)) {
      this.cost.probes++;
      for (const holder of this.#terms.get(term) ?? []) found.add(holder);
    }
    return this.#read(found).sort(byKey);
  }

  /** Live records whose lifetime or terminating period is over, earliest first. */
  due(now: EpochSeconds): Mitigation[] {
    return this.#dueRecords(now).filter((mitigation) => mitigation.removedAt === undefined);
  }

  /** Forgets tombstones older than their grace: the store does the same. */
  pruneTombstones(now: EpochSeconds): void {
    for (const mitigation of this.#dueRecords(now))
      if (mitigation.removedAt !== undefined) this.#replace(holderOf(mitigation), undefined);
  }

  /** For `applyChanges` alone. */
  put(holder: string, mitigation: Mitigation | undefined): Mitigation | undefined {
    return this.#replace(holder, mitigation);
  }

  #replace(holder: string, next: Mitigation | undefined): Mitigation | undefined {
    const previous = this.#records.get(holder);
    if (previous !== undefined) this.#unindex(holder, previous);
    if (next === undefined) this.#records.delete(holder);
    else this.#index(holder, next);
    return previous;
  }

  #index(holder: string, mitigation: Mitigation): void {
    this.#records.set(holder, mitigation);
    const { cuid, identityId, cdid } = mitigation;
    const client = this.#clients.get(cuid);
    if (client === undefined) this.#clients.set(cuid, { identityId, cdid, count: 1 });
    else client.count++;
    const at = dueAt(mitigation);
    if (at !== undefined) this.#due.add({ at, holder });
    if (this.#due.size > 2 * this.#records.size + 64) this.#due.rebuild(this.#dueEntries());
    if (mitigation.removedAt !== undefined) return;
    this.#liveCount++;
    const footprint = footprintOf(mitigation);
    for (const prefix of footprint.prefixes) this.#prefixes.add(prefix, holder);
    for (const term of termsOf(footprint)) addTo(this.#terms, term, holder);
    if (!mitigation.triggerMitigation) addTo(this.#preconfigured, cuid, holder);
  }

  #unindex(holder: string, mitigation: Mitigation): void {
    const client = this.#clients.get(mitigation.cuid);
    if (client !== undefined && --client.count === 0) this.#clients.delete(mitigation.cuid);
    if (mitigation.removedAt !== undefined) return;
    this.#liveCount--;
    const footprint = footprintOf(mitigation);
    for (const prefix of footprint.prefixes) this.#prefixes.remove(prefix, holder);
    for (const term of termsOf(footprint)) removeFrom(this.#terms, term, holder);
    if (!mitigation.triggerMitigation) removeFrom(this.#preconfigured, mitigation.cuid, holder);
  }

  *#dueEntries(): Generator<{ at: EpochSeconds; holder: string }> {
    for (const [holder, mitigation] of this.#records) {
      const at = dueAt(mitigation);
      if (at !== undefined) yield { at, holder };
    }
  }

  #dueRecords(now: EpochSeconds): Mitigation[] {
    const current = new Set<string>();
    for (const { at, holder } of this.#due.upTo(now)) {
      this.cost.probes++;
      const mitigation = this.#records.get(holder);
      if (mitigation !== undefined && dueAt(mitigation) === at) current.add(holder);
    }
    const dueTime = (mitigation: Mitigation): EpochSeconds => dueAt(mitigation) ?? 0;
    return this.#read(current).sort((left, right) => dueTime(left) - dueTime(right) || byKey(left, right));
  }

  #read(holders: Iterable<string>): Mitigation[] {
    const found: Mitigation[] = [];
    for (const holder of holders) {
      this.cost.probes++;
      const mitigation = this.#records.get(holder);
      if (mitigation !== undefined) found.push(mitigation);
    }
    return found;
  }
}

/**
 * Takes changed records, tombstones included, into the view. Returns the undo of exactly this change, for a commit that
 * was not accepted; undos run in reverse order.
 */
export function applyChanges(view: DomainView, changed: readonly Mitigation[]): () => void {
  const replaced = changed.map((mitigation) => {
    const holder = holderOf(mitigation);
    return { holder, previous: view.put(holder, mitigation) };
  });
  return () => {
    for (const { holder, previous } of replaced.toReversed()) view.put(holder, previous);
  };
}

function addTo<Key>(index: Map<Key, Set<string>>, key: Key, holder: string): void {
  const holders = index.get(key);
  if (holders === undefined) index.set(key, new Set([holder]));
  else holders.add(holder);
}

function removeFrom<Key>(index: Map<Key, Set<string>>, key: Key, holder: string): void {
  const holders = index.get(key);
  holders?.delete(holder);
  if (holders?.size === 0) index.delete(key);
}

/** A total order, so that a decision does not depend on how the view came about. */
function byKey(left: Mitigation, right: Mitigation): number {
  if (left.cuid !== right.cuid) return left.cuid < right.cuid ? -1 : 1;
  return left.mid - right.mid;
}
