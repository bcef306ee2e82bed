/** `tocsin domain`: customers, what they own and what they may ask for. */

import { Command, Option } from 'commander';
import { type ConflictPolicy, DEFAULT_POLICY, type Domain } from '#core/model/domain.ts';
import { type DomainId, parseDomainId } from '#core/model/identifiers.ts';
import type { Store } from '#core/ports/store.ts';
import { OperatorError } from '../operator-error.ts';
import { isDomainName, NO_NAME } from '../registry/names.ts';
import { withStore } from '../registry/open-store.ts';
import { claimPrefixes } from '../registry/prefixes.ts';
import { addCommand, collect, type JsonOption, print, table, wholeNumberFrom } from './command-line.ts';

interface DomainOptions extends JsonOption {
  readonly name?: string;
  readonly prefix?: readonly string[];
  readonly owns?: readonly string[];
}

interface SetOptions extends DomainOptions {
  readonly terminatingSeconds?: number;
  readonly maxMitigations?: number;
  readonly maxLifetimeSeconds?: number;
  readonly conflictPolicy?: ConflictPolicy;
}

export function domainCommand(): Command {
  const domain = new Command('domain');

  addCommand(domain, 'list', 'all domains', ['tocsin domain list']).action(async (options: JsonOption) => {
    const domains = await withStore((store) => store.domains());
    const rows = domains.map(({ id, name, prefixes, names }) => [
      id,
      name,
      [...prefixes, ...names].join(' '),
    ]);
    print(options, domains, table([['DOMAIN', 'NAME', 'OWNS'], ...rows]));
  });

  addCommand(domain, 'show <domain>', 'one domain with its policy', ['tocsin domain show demo']).action(
    async (id: string, options: JsonOption) => {
      const found = await withStore((store) => mustFind(store, id));
      print(options, found, JSON.stringify(found, undefined, 2));
    },
  );

  addCommand(domain, 'add <domain>', 'a new domain', [
    'tocsin domain add acme --name "Acme Ltd" --prefix 203.0.113.0/24 --owns acme.example',
  ])
    .option('--name <text>', 'for people')
    .requiredOption('--prefix <prefix>', 'an IP prefix the domain owns; may be repeated', collect)
    .option('--owns <name>', 'a domain name it owns; may be repeated', collect)
    .action(async (text: string, options: DomainOptions) => {
      const id = parseDomainId(text);
      if (id === undefined)
        throw new OperatorError(`${text} cannot name a domain: lower-case letters, digits and dashes`);
      const added = await withStore(async (store) => {
        if ((await store.domain(id)) !== undefined)
          throw new OperatorError(`there is a domain ${id} already`);
        const made: Domain = {
          id,
          name: options.name ?? id,
          prefixes: await claimed(store, id, options.prefix ?? []),
          names: named(options.owns ?? []),
          policy: DEFAULT_POLICY,
        };
        await store.putDomain(made);
        return made;
      });
      print(options, added, `domain ${id} added; tocsin client add ${id} NAME gives it a client`);
    });

  addCommand(
    domain,
    'set <domain>',
    'change a domain; what is not named stays (config.yaml wins at the next start)',
    [
      'tocsin domain set demo --terminating-seconds 60',
      'tocsin domain set demo --prefix 192.0.2.0/24 --prefix 2001:db8::/32',
    ],
  )
    .option('--name <text>', 'for people')
    .option('--prefix <prefix>', 'replaces all prefixes; may be repeated', collect)
    .option('--owns <name>', 'replaces all names; may be repeated', collect)
    .option('--terminating-seconds <seconds>', 'active-but-terminating period', wholeNumberFrom(1))
    .option('--max-mitigations <count>', 'active mitigations at once', wholeNumberFrom(1))
    .option(
      '--max-lifetime-seconds <seconds>',
      'longest lifetime granted; -1 allows unlimited ones',
      wholeNumberFrom(-1),
    )
    .addOption(
      new Option('--conflict-policy <policy>', 'when requests of two clients overlap').choices([
        'accept-both',
        'reject-new',
        'replace-old',
      ]),
    )
    .action(async (text: string, options: SetOptions) => {
      const changed = await withStore(async (store) => {
        const before = await mustFind(store, text);
        const after = await change(store, before, options);
        await store.putDomain(after);
        return after;
      });
      print(options, changed, `domain ${changed.id} changed`);
    });
  return domain;
}

async function change(store: Store, before: Domain, options: SetOptions): Promise<Domain> {
  const { policy } = before;
  const terminatingSeconds = options.terminatingSeconds ?? policy.terminatingSeconds;
  return {
    ...before,
    name: options.name ?? before.name,
    prefixes:
      options.prefix === undefined ? before.prefixes : await claimed(store, before.id, options.prefix),
    names: options.owns === undefined ? before.names : named(options.owns),
    policy: {
      ...policy,
      terminatingSeconds,
      maxTerminatingSeconds: Math.max(policy.maxTerminatingSeconds, terminatingSeconds),
      maxMitigations: options.maxMitigations ?? policy.maxMitigations,
      maxLifetimeSeconds: options.maxLifetimeSeconds ?? policy.maxLifetimeSeconds,
      conflictPolicy: options.conflictPolicy ?? policy.conflictPolicy,
    },
  };
}

function named(texts: readonly string[]): readonly string[] {
  for (const text of texts) if (!isDomainName(text)) throw new OperatorError(`${text} ${NO_NAME}`);
  return texts;
}

async function mustFind(store: Store, text: string): Promise<Domain> {
  const id = parseDomainId(text);
  const found = id === undefined ? undefined : await store.domain(id);
  if (found === undefined)
    throw new OperatorError(`there is no domain ${text}; tocsin domain list shows all`);
  return found;
}

async function claimed(store: Store, id: DomainId, texts: readonly string[]): Promise<readonly string[]> {
  const prefixes = await claimPrefixes(store, id, texts);
  if (!prefixes.ok) throw new OperatorError(prefixes.error);
  return prefixes.value;
}
