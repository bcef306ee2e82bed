/** An authorized session as resources and observers see it. */
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { Response } from '#core/coap/message.ts';
import type { Requester } from '#core/mitigation/command.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Client } from '#core/server/mitigation-view.ts';
import type { ClientPath } from '#core/server/router.ts';

export interface Peer {
  readonly identityId: IdentityId;
  readonly domainId: DomainId;
  readonly transport: 'udp' | 'tcp';
  /** False once the session has ended: what was begun for it is to be dropped. */
  isOpen(): boolean;
  notify(exchange: ExchangeId, response: Response, last: boolean): void;
}

export const requesterOf = (peer: Peer, { cuid, cdid }: ClientPath): Requester => ({
  identityId: peer.identityId,
  cuid,
  ...(cdid === undefined ? {} : { cdid }),
  source: 'client',
});

export const clientOf = (peer: Peer, { cuid, cdid }: ClientPath): Client => ({
  domainId: peer.domainId,
  identityId: peer.identityId,
  cuid,
  ...(cdid === undefined ? {} : { cdid }),
});
