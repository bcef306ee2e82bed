/** `tocsin client`: who speaks for a domain. */

import { join } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '#adapters/clock/system-clock.ts';
import type { Identity } from '#core/model/domain.ts';
import { parseDomainId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';
import { OperatorError } from '../operator-error.ts';
import { ensureAuthority, issueCertificate, issuePsk } from '../pki/credentials.ts';
import { registerClient } from '../registry/client.ts';
import { withStore } from '../registry/open-store.ts';
import { addCommand, type JsonOption, print, table } from './command-line.ts';

interface AddOptions extends JsonOption {
  readonly psk: boolean;
  readonly gateway: boolean;
}

export function clientCommand(): Command {
  const client = new Command('client');

  addCommand(client, 'list [domain]', 'clients of one domain, or of all', ['tocsin client list demo']).action(
    async (domainId: string | undefined, options: JsonOption) => {
      const identities = await withStore((store) => identitiesOf(store, domainId));
      const rows = identities.map(({ domainId: id, label, role, status, id: key }) => [
        id,
        label,
        role,
        status,
        key,
      ]);
      print(options, identities, table([['DOMAIN', 'CLIENT', 'ROLE', 'STATUS', 'IDENTITY'], ...rows]));
    },
  );

  addCommand(client, 'add <domain> <name>', 'a new client: issues a certificate or a PSK into pki/clients', [
    'tocsin client add demo edge-2',
    'tocsin client add demo sensor --psk',
  ])
    .option('--psk', 'a pre-shared key instead of a certificate', false)
    .option('--gateway', 'a gateway of several domains: trusted to name its clients’ domains (cdid)', false)
    .action(async (domainText: string, name: string, options: AddOptions) => {
      const files = await withStore(async (store, home) => {
        const domainId = parseDomainId(domainText);
        if (domainId === undefined || (await store.domain(domainId)) === undefined)
          throw new OperatorError(`there is no domain ${domainText}; tocsin domain list shows all`);
        await ensureAuthority(home);
        const credential = options.psk ? issuePsk(home, name) : await issueCertificate(home, name);
        await registerClient(
          store,
          systemClock,
          domainId,
          options.gateway ? 'gateway' : 'client',
          credential,
        );
        const path = join(home.clients, name);
        return credential.kind === 'psk' ? [`${path}.psk`] : [`${path}.pem`, `${path}.key`];
      });
      print(
        options,
        { domain: domainText, client: name, files },
        `client ${name} of ${domainText}: ${files.join(' ')}`,
      );
    });

  addCommand(client, 'revoke <client>', 'takes a client out: its name as listed, or its identity', [
    'tocsin client revoke CN=edge-2',
  ]).action(async (wanted: string, options: JsonOption) => {
    const revoked = await withStore(async (store) => {
      const matches = (await identitiesOf(store, undefined)).filter(
        ({ id, label }) => id === wanted || label === wanted || label === `CN=${wanted}`,
      );
      const [identity, ...others] = matches;
      if (identity === undefined)
        throw new OperatorError(`there is no client ${wanted}; tocsin client list shows all`);
      if (others.length > 0)
        throw new OperatorError(`several clients are called ${wanted}; name one by its identity`);
      const after: Identity = { ...identity, status: 'revoked' };
      await store.putIdentity(after);
      return after;
    });
    print(options, revoked, `client ${revoked.label} of ${revoked.domainId} is revoked`);
  });
  return client;
}

async function identitiesOf(store: Store, domainText: string | undefined): Promise<readonly Identity[]> {
  const domains = await store.domains();
  if (domainText !== undefined && !domains.some(({ id }) => id === domainText))
    throw new OperatorError(`there is no domain ${domainText}; tocsin domain list shows all`);
  const wanted = domains.filter(({ id }) => domainText === undefined || id === domainText);
  return (await Promise.all(wanted.map(({ id }) => store.identities(id)))).flat();
}
