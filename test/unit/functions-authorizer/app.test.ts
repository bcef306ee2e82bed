import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import { createAuthorizer } from '#functions/authorizer/app.ts';
import { type Provider, startProvider } from '#test/unit/functions-mitigation-request/provider.ts';

let provider: Provider;
beforeEach(async () => {
  provider = await startProvider();
});
afterEach(() => provider.parts.close());

test('a registered identity is told its domain, role and prefixes', async () => {
  const authorize = createAuthorizer(provider);
  expect(await authorize({ identityId: 'id-of-alice' })).toEqual({
    allowed: true,
    domainId: 'demo',
    role: 'client',
    prefixes: ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'],
  });
  expect(await authorize({ identityId: 'id-of-gateway' })).toMatchObject({ allowed: true, role: 'gateway' });
});

test('every other identity is refused with the reason', async () => {
  const authorize = createAuthorizer(provider);
  expect(await authorize({ identityId: 'id-of-nobody' })).toEqual({
    allowed: false,
    reason: 'unknown-identity',
  });
  expect(await authorize({ identityId: 'id-of-revoked' })).toEqual({ allowed: false, reason: 'revoked' });
  const domainId = 'gone' as DomainId;
  const id = 'id-of-orphan' as IdentityId;
  await provider.store.putIdentity({
    id,
    domainId,
    role: 'client',
    status: 'active',
    label: '',
    createdAt: 0,
  });
  expect(await authorize({ identityId: id })).toEqual({ allowed: false, reason: 'unknown-domain' });
});
