/** Reads what clients ask to see, and nothing that is not their own. */
import type { Mid } from '#core/model/identifiers.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { Store, WatchedMitigation } from '#core/ports/store.ts';
import { type Client, isOwn } from '#core/server/mitigation-view.ts';

export type ReadStore = Pick<Store, 'mitigations' | 'watched'>;

/** One mitigation of a client, or without mid all of them. */
export interface Subject {
  readonly client: Client;
  readonly mid?: Mid;
}

/** Records one read is asked for at most. */
const PAGE = 500;

/** For each subject its stored records with their reports, tombstones included: one read for all, however many ask. */
export async function readWatched(
  store: ReadStore,
  subjects: readonly Subject[],
): Promise<readonly WatchedMitigation[][]> {
  const keys = new Map<string, MitigationKey>();
  const perSubject = await Promise.all(subjects.map((subject) => keysOf(store, subject)));
  for (const key of perSubject.flat()) keys.set(textOf(key), key);
  const found = new Map<string, WatchedMitigation>();
  const wanted = [...keys.values()];
  for (let start = 0; start < wanted.length; start += PAGE) {
    for (const each of await store.watched(wanted.slice(start, start + PAGE)))
      found.set(textOf(each.mitigation), each);
  }
  return subjects.map(({ client }, index) =>
    (perSubject[index] ?? [])
      .map((key) => found.get(textOf(key)))
      .filter((each) => each !== undefined)
      .filter(({ mitigation }) => isOwn(mitigation, client)),
  );
}

async function keysOf(store: ReadStore, { client, mid }: Subject): Promise<readonly MitigationKey[]> {
  const { domainId, cuid } = client;
  if (mid !== undefined) return [{ domainId, cuid, mid }];
  const all = await store.mitigations(domainId, cuid);
  return all.filter((mitigation) => isOwn(mitigation, client)).map(({ mid }) => ({ domainId, cuid, mid }));
}

const textOf = ({ domainId, cuid, mid }: MitigationKey): string => `${domainId}#${cuid}#${mid}`;
