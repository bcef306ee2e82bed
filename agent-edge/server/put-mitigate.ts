/** PUT mitigate: request, refresh or efficacy update (RFC 9132 §4.4.1, §4.4.3). The decision is the function's. */
import type { Command } from '#core/mitigation/command.ts';
import type { PutMitigate } from '#core/server/router.ts';
import type { CommandBatcher } from './command-batcher.ts';
import { type Peer, requesterOf } from './peer.ts';
import { type Reply, replyTo } from './reply.ts';

export async function putMitigate(
  operation: PutMitigate,
  peer: Peer,
  commands: CommandBatcher,
): Promise<Reply> {
  return replyTo(await commands.submit(peer.domainId, commandOf(operation, peer)));
}

function commandOf(operation: PutMitigate, peer: Peer): Command {
  const { mid, ifMatch, body } = operation;
  const { scope, triggerMitigation, lifetimeSeconds, attackStatus } = body;
  const asked = { requester: requesterOf(peer, operation), mid, scope, triggerMitigation };
  if (attackStatus !== undefined)
    return {
      type: 'efficacy',
      ...asked,
      attackStatus,
      ifMatch,
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    };
  if (lifetimeSeconds === undefined)
    throw new Error('the codec lets only efficacy updates go without lifetime');
  return { type: 'put', ...asked, lifetimeSeconds };
}
