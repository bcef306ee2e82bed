/** A proven identity in, domain and role or a refusal out: the one rule for both channels (RFC 9132 §8). */
import type { IdentityId } from '#core/model/identifiers.ts';
import type { AuthorizerAnswer, AuthorizerRequest } from '#core/ports/authorizer.ts';
import type { Store } from '#core/ports/store.ts';

export function createAuthorizer(deps: {
  readonly store: Pick<Store, 'identity' | 'domain'>;
}): (request: AuthorizerRequest) => Promise<AuthorizerAnswer> {
  return async ({ identityId }) => {
    const identity = await deps.store.identity(identityId as IdentityId);
    if (identity === undefined) return { allowed: false, reason: 'unknown-identity' };
    if (identity.status !== 'active') return { allowed: false, reason: 'revoked' };
    const domain = await deps.store.domain(identity.domainId);
    if (domain === undefined) return { allowed: false, reason: 'unknown-domain' };
    return { allowed: true, domainId: domain.id, role: identity.role, prefixes: domain.prefixes };
  };
}
