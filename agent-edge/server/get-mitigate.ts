/** GET mitigate, one or all of the client's own (RFC 9132 §4.4.2), with or without Observe (§4.4.2.1). */
import type { EpochSeconds } from '#core/base/time.ts';
import type { WatchedMitigation } from '#core/ports/store.ts';
import { visibleEntries } from '#core/server/mitigation-view.ts';
import type { GetMitigate } from '#core/server/router.ts';
import { encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { clientOf, type Peer } from './peer.ts';
import { content, type Reply, refuse, respond } from './reply.ts';
import { type ReadStore, readWatched, type Subject } from './watched-mitigations.ts';

export interface MitigationsShown {
  readonly reply: Reply;
  /** What was read, when there is something to observe. */
  readonly shown?: { readonly subject: Subject; readonly watched: readonly WatchedMitigation[] };
}

export async function getMitigate(
  operation: GetMitigate,
  peer: Peer,
  store: ReadStore,
  now: EpochSeconds,
): Promise<MitigationsShown> {
  const { mid, filter } = operation;
  const subject = { client: clientOf(peer, operation), ...(mid === undefined ? {} : { mid }) };
  const [watched = []] = await readWatched(store, [subject]);
  const entries = visibleEntries(watched, now);
  if (entries.length === 0) return { reply: refuse(notFound(subject)) };
  return { reply: respond(content(encodeMitigationStatus(entries, filter))), shown: { subject, watched } };
}

export const notFound = ({ mid }: Subject): { readonly code: 'not-found'; readonly what: string } => ({
  code: 'not-found',
  what: mid === undefined ? 'a mitigation of this client' : `mid ${mid}`,
});
