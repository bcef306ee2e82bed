/** A client of a domain: a credential in pki/clients and an identity in the store, made together. */

import type { Role } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Store } from '#core/ports/store.ts';
import type { ClientCredential } from '../pki/credentials.ts';

/** Registers who the credential proves. One that is registered already, revoked ones included, stays as it is. */
export async function registerClient(
  store: Store,
  clock: Clock,
  domainId: DomainId,
  role: Role,
  credential: ClientCredential,
): Promise<void> {
  if ((await store.identity(credential.identityId)) !== undefined) return;
  if (credential.kind === 'psk') await store.putPsk(credential.label, credential.key);
  await store.putIdentity({
    id: credential.identityId,
    domainId,
    role,
    status: 'active',
    label: credential.label,
    createdAt: clock.epochSeconds(),
  });
}
