/** Brings the store to what config.yaml says: each domain's plan is there, functions never read the file. */

import { ALERT } from '#adapters/mitigators/registry.ts';
import { findPrefixOwner } from '#adapters/store/prefix-owner.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { DEFAULT_POLICY, type Domain, type DomainPolicy } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { formatIpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Store } from '#core/ports/store.ts';
import type { ConfigProblem, ReadConfig } from './read.ts';
import type { DomainConfig, PolicyConfig } from './schema.ts';

/**
 * Domains the file lists get the policy of the file, defaults included; all others only what the top level says.
 * Nothing is written when anything is wrong.
 */
export async function applyConfig(
  store: Store,
  read: ReadConfig,
): Promise<Result<undefined, readonly ConfigProblem[]>> {
  const { config } = read;
  const problems: ConfigProblem[] = [];
  const report = (path: readonly PropertyKey[], message: string): void =>
    void problems.push({ ...read.position(path), message });
  const mitigators = new Set([ALERT, ...Object.keys(config.mitigators ?? {})]);

  const stored = new Map((await store.domains()).map((domain) => [domain.id as string, domain]));
  const wanted = new Map<string, Domain>();
  for (const domain of stored.values())
    wanted.set(domain.id, { ...domain, policy: policyOf(domain.policy, config) });
  for (const [id, listed] of Object.entries(config.domains ?? {})) {
    const before = stored.get(id);
    if (before === undefined && listed.prefixes === undefined)
      report(
        ['domains', id],
        `there is no domain ${id} yet; write its prefixes: [ … ], or run tocsin domain add ${id}`,
      );
    for (const [index, choice] of (listed.mitigators ?? []).entries())
      if (!mitigators.has(choice.name))
        report(
          ['domains', id, 'mitigators', index, 'name'],
          `no mitigator is called ${choice.name}; write one of ${[...mitigators].join(', ')}`,
        );
    wanted.set(id, domainOf(id as DomainId, before, listed, config));
  }
  for (const { policy, id } of wanted.values())
    if (policy.maxTerminatingSeconds < policy.terminatingSeconds)
      report(
        ['domains', id, 'maxTerminatingSeconds'],
        `maxTerminatingSeconds ${policy.maxTerminatingSeconds} of ${id} is below terminatingSeconds; write at least ${policy.terminatingSeconds}`,
      );
  for (const id of Object.keys(config.domains ?? {}))
    for (const prefix of wanted.get(id)?.prefixes ?? []) {
      const owner = findPrefixOwner([...wanted.values()], prefix, id as DomainId);
      if (owner !== undefined)
        report(
          ['domains', id, 'prefixes'],
          `${prefix} overlaps what domain ${owner} owns; a prefix has one owner`,
        );
    }
  if (problems.length > 0) return fail(problems);
  for (const domain of wanted.values())
    if (JSON.stringify(domain) !== JSON.stringify(stored.get(domain.id))) await store.putDomain(domain);
  return ok(undefined);
}

function domainOf(
  id: DomainId,
  before: Domain | undefined,
  listed: DomainConfig,
  everywhere: PolicyConfig,
): Domain {
  const policy = policyOf(policyOf(DEFAULT_POLICY, everywhere), listed);
  return {
    id,
    name: listed.name ?? before?.name ?? id,
    prefixes: listed.prefixes === undefined ? (before?.prefixes ?? []) : canonical(listed.prefixes),
    names: listed.names ?? before?.names ?? [],
    policy: { ...policy, mitigators: listed.mitigators ?? DEFAULT_POLICY.mitigators },
  };
}

function policyOf(base: DomainPolicy, over: PolicyConfig): DomainPolicy {
  return {
    ...base,
    maxMitigations: over.limits?.maxMitigations ?? base.maxMitigations,
    maxLifetimeSeconds: over.limits?.maxLifetimeSeconds ?? base.maxLifetimeSeconds,
    terminatingSeconds: over.terminatingSeconds ?? base.terminatingSeconds,
    maxTerminatingSeconds: over.maxTerminatingSeconds ?? base.maxTerminatingSeconds,
    conflictPolicy: over.conflictPolicy ?? base.conflictPolicy,
    neverTouch: over.neverTouch === undefined ? base.neverTouch : canonical(over.neverTouch),
  };
}

function canonical(prefixes: readonly string[]): readonly string[] {
  return prefixes.map((text) => {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) throw new Error(`the schema has let ${text} through as a prefix`);
    return formatIpPrefix(prefix);
  });
}
