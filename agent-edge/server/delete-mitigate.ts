/** DELETE mitigate (RFC 9132 §4.4.4): 2.02 whatever there was, and no effect on what belongs to others (D18). */
import type { DeleteMitigate } from '#core/server/router.ts';
import type { CommandBatcher } from './command-batcher.ts';
import { type Peer, requesterOf } from './peer.ts';
import { type Reply, replyTo } from './reply.ts';

export async function deleteMitigate(
  operation: DeleteMitigate,
  peer: Peer,
  commands: CommandBatcher,
): Promise<Reply> {
  const requester = requesterOf(peer, operation);
  return replyTo(await commands.submit(peer.domainId, { type: 'delete', requester, mid: operation.mid }));
}
