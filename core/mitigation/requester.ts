/**
 * Whose record is it? RFC 9132 §4.4.1.3: a client is its identity and, behind a gateway, its cdid; the cuid it uses is
 * taken for everybody else (D18).
 */
import type { Cdid, IdentityId } from '../model/identifiers.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Requester } from './command.ts';
import type { DomainView } from './domain-view.ts';

export function isOthersCuid(view: DomainView, requester: Requester): boolean {
  const client = view.client(requester.cuid);
  return client !== undefined && !isClient(client, requester);
}

/** The requester's own record, or undefined: what belongs to others does not exist for it. */
export function ownRecord(
  view: DomainView,
  requester: Requester,
  mid: Mitigation['mid'],
): Mitigation | undefined {
  const record = view.record(requester.cuid, mid);
  return record !== undefined && isClient(record, requester) ? record : undefined;
}

export function isClient(
  owner: { readonly identityId: IdentityId; readonly cdid?: Cdid | undefined },
  requester: Requester,
): boolean {
  return owner.identityId === requester.identityId && owner.cdid === requester.cdid;
}
