/**
 * The restart of mids (RFC 9132 §4.4.1.1): "If the DOTS client maintains mitigation requests with preconfigured scopes, it
 * MUST recreate them with the 'mid' restarting at 0." The old ones go first, or they would overlap the new with their
 * higher mids (decision D9).
 */
import type { Mid } from '#core/model/identifiers.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import type { Answered, DotsClient } from './dots-client.ts';

type Client = Pick<DotsClient, 'status' | 'withdraw' | 'requestMitigation'>;
type Failure = Exclude<Answered<unknown>, { readonly type: 'done' }>;

/** With an attack active nothing is done: mids go on to grow. Otherwise every preconfigured request gets one of `takeMid`. */
export async function rollOver(
  client: Client,
  takeMid: () => Mid,
): Promise<{ readonly type: 'rolled-over' } | { readonly type: 'attack-active' } | Failure> {
  const known = await client.status();
  if (known.type === 'refused' && known.code === '4.04') return { type: 'rolled-over' };
  if (known.type !== 'done') return known;
  if (known.value.some(({ triggerMitigation }) => triggerMitigation)) return { type: 'attack-active' };
  for (const entry of known.value) {
    const failure = await recreate(client, entry, takeMid());
    if (failure !== undefined) return failure;
  }
  return { type: 'rolled-over' };
}

async function recreate(client: Client, entry: ReceivedStatusEntry, mid: Mid): Promise<Failure | undefined> {
  const { scope, triggerMitigation, lifetimeSeconds = -1 } = entry;
  const withdrawn = await client.withdraw(entry.mid);
  if (withdrawn.type !== 'done') return withdrawn;
  const created = await client.requestMitigation(mid, { scope, triggerMitigation, lifetimeSeconds });
  return created.type === 'done' ? undefined : created;
}
