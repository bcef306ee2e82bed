/**
 * From what has changed to who has to act: one command per changed mitigation and mitigator. A command says which record
 * to look at, never what to do, so that a late or repeated one does no harm.
 */
import type { Domain } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Outbox, OutboxEntry } from '#core/ports/outbox.ts';
import type { MitigatorCommand, Queue, QueueMessage } from '#core/ports/queue.ts';
import type { Store, WatchedMitigation } from '#core/ports/store.ts';

export interface OutboxDeps {
  readonly store: Pick<Store, 'domain' | 'watched'>;
  readonly queue: Pick<Queue, 'send'>;
}

/** Sends the commands of the entries. Rejects when one could not be sent; calling again sends none twice. */
export type Publish = (entries: readonly OutboxEntry[]) => Promise<void>;

export function createOutbox({ store, queue }: OutboxDeps): Publish {
  return async (entries) => {
    if (entries.length === 0) return;
    const watched = await store.watched(entries);
    const byKey = new Map(watched.map((one) => [textOf(one.mitigation), one]));
    const domains = new Map<DomainId, Domain | undefined>();
    for (const { domainId } of entries)
      if (!domains.has(domainId)) domains.set(domainId, await store.domain(domainId));
    await queue.send(
      entries.flatMap((entry) =>
        mitigatorsOf(domains.get(entry.domainId), byKey.get(textOf(entry))).map((mitigator) =>
          messageOf(entry, mitigator),
        ),
      ),
    );
  };
}

/** Entries published at once. */
const BATCH = 100;

/** Publishes all that is pending, oldest first. Resolves to how many entries that was; rejects at the first failure. */
export async function drainOutbox(deps: {
  readonly outbox: Outbox;
  readonly publish: Publish;
}): Promise<number> {
  const { outbox, publish } = deps;
  for (let published = 0; ; ) {
    const entries = await outbox.pending(BATCH);
    const last = entries.at(-1);
    if (last === undefined) return published;
    await publish(entries);
    await outbox.settle(last.id);
    published += entries.length;
  }
}

/** Those of the domain's plan, and those that still hold something though the plan no longer names them. */
function mitigatorsOf(domain: Domain | undefined, watched: WatchedMitigation | undefined): readonly string[] {
  if (watched === undefined) return [];
  const planned = domain?.policy.mitigators.map(({ name }) => name) ?? [];
  const holding = watched.reports
    .filter(({ state }) => state !== 'removed')
    .map(({ mitigator }) => mitigator);
  return [...new Set([...planned, ...holding])];
}

/**
 * The outbox position is part of the deduplication id: a record that is forgotten and made again starts over at
 * generation 1, and its command must not pass for the one of five minutes ago.
 */
function messageOf(entry: OutboxEntry, mitigator: string): QueueMessage {
  const { id, domainId, cuid, mid, generation } = entry;
  const command: MitigatorCommand = { domainId, cuid, mid, generation, mitigator };
  const group = `${textOf(entry)}#${mitigator}`;
  return {
    group,
    deduplicationId: `${group}#${generation}#${id}`,
    body: JSON.stringify(command),
  };
}

const textOf = ({ domainId, cuid, mid }: Pick<OutboxEntry, 'domainId' | 'cuid' | 'mid'>): string =>
  `${domainId}#${cuid}#${mid}`;
