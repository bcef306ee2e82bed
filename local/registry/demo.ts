/** The two customers of a first start, so that something can be tried at once (addresses of RFC 5737 and RFC 3849). */
import { DEFAULT_POLICY, type Domain } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Store } from '#core/ports/store.ts';
import type { Home } from '../home.ts';
import { hasCredential, issueCertificate, issuePsk, readCertificate, readPsk } from '../pki/credentials.ts';
import { registerClient } from './client.ts';

const DEMO: Domain = {
  id: 'demo' as DomainId,
  name: 'Demo customer',
  prefixes: ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'],
  names: ['demo.example'],
  policy: DEFAULT_POLICY,
};

const OTHER: Domain = {
  id: 'other' as DomainId,
  name: 'Other customer',
  prefixes: ['203.0.113.0/24'],
  names: [],
  policy: DEFAULT_POLICY,
};

/** Makes what is missing of them and changes nothing that is there: a crash in between is mended by the next start. */
export async function ensureDemo(home: Home, store: Store, clock: Clock): Promise<void> {
  for (const domain of [DEMO, OTHER]) {
    if ((await store.domain(domain.id)) === undefined) await store.putDomain(domain);
    const credential = hasCredential(home, domain.id)
      ? readCertificate(home, domain.id)
      : await issueCertificate(home, domain.id);
    await registerClient(store, clock, domain.id, 'client', credential);
  }
  const psk = hasCredential(home, 'demo-psk') ? readPsk(home, 'demo-psk') : issuePsk(home, 'demo-psk');
  await registerClient(store, clock, DEMO.id, 'client', psk);
}
