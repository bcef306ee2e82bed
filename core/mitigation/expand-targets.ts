/**
 * From what the client named to what a mitigator can act on: aliases expanded, names resolved, host bits masked, every
 * address checked (RFC 9132 §4.4.1.1, §4.4.1.3).
 */
import type { Result } from '../base/result.ts';
import { fail, ok } from '../base/result.ts';
import type { EpochSeconds } from '../base/time.ts';
import type { Cuid } from '../model/identifiers.ts';
import type { IpPrefix } from '../model/ip-prefix.ts';
import { formatIpPrefix, parseIpPrefix } from '../model/ip-prefix.ts';
import type { MitigationScope, PortRange, Target } from '../model/scope.ts';
import type { Refusal } from './answer.ts';
import { normalizeName } from './domain-name.ts';
import type { DomainView } from './domain-view.ts';
import { ownsName, refusePrefix } from './ownership.ts';
import { parseTargetUri } from './target-uri.ts';

/** Canonical host prefixes by normalized name, as the resolver told them before the decision. */
export type ResolvedNames = ReadonlyMap<string, readonly string[]>;

export function expandTargets(
  view: DomainView,
  cuid: Cuid,
  asked: MitigationScope,
  resolved: ResolvedNames,
  now: EpochSeconds,
): Result<readonly Target[], Refusal> {
  const united = uniteAliases(view, cuid, asked, now);
  if (!united.ok) return united;
  const scope = united.value;
  const { targetProtocols: protocols, targetPortRanges: portRanges } = scope;
  const targets = new TargetList();
  for (const text of scope.targetPrefixes) {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) return fail(invalid('target-prefix', `${text} is not a prefix`));
    const refusal = refusePrefix(view.owned, prefix, 'target-prefix', text);
    if (refusal !== undefined) return fail(refusal);
    targets.add(prefix, protocols, portRanges);
  }
  for (const fqdn of scope.targetFqdns) {
    const addresses = addressesOf(view, normalizeName(fqdn), 'target-fqdn', resolved);
    if (!addresses.ok) return addresses;
    for (const prefix of addresses.value) targets.add(prefix, protocols, portRanges);
  }
  for (const text of scope.targetUris) {
    const uri = parseTargetUri(text);
    if (uri === undefined) return fail(invalid('target-uri', `${text} has no usable scheme and authority`));
    const addresses =
      uri.host.kind === 'name'
        ? addressesOf(view, uri.host.name, 'target-uri', resolved)
        : checked(view, [uri.host.prefix], 'target-uri');
    if (!addresses.ok) return addresses;
    const ports = uri.port === undefined ? [] : [{ lowerPort: uri.port }];
    for (const prefix of addresses.value) targets.add(prefix, uri.protocols, ports);
  }
  if (targets.list.length === 0) {
    return fail(invalid('scope', 'needs target-prefix, target-fqdn, target-uri or alias-name'));
  }
  return ok(targets.list);
}

/** Names that have to be resolved before the scope can be decided on; only those that the domain owns are asked for. */
export function namesOf(view: DomainView, cuid: Cuid, asked: MitigationScope, now: EpochSeconds): string[] {
  const united = uniteAliases(view, cuid, asked, now);
  if (!united.ok) return [];
  const names = new Set(united.value.targetFqdns.map(normalizeName));
  for (const text of united.value.targetUris) {
    const host = parseTargetUri(text)?.host;
    if (host?.kind === 'name') names.add(host.name);
  }
  return [...names].filter((name) => ownsName(view.owned, name));
}

/**
 * RFC 9132 §4.4.1.3: "the DOTS server appends the parameter values associated with the 'alias-name' with the
 * corresponding parameter values"; "If the aliases were not created by the DOTS client, the DOTS server MUST return 4.00".
 */
function uniteAliases(
  view: DomainView,
  cuid: Cuid,
  scope: MitigationScope,
  now: EpochSeconds,
): Result<MitigationScope, Refusal> {
  const parts = [scope];
  for (const name of scope.aliasNames) {
    const alias = view.alias(cuid, name, now);
    if (alias === undefined) return fail({ code: 'unknown-alias', alias: name });
    parts.push(alias.scope);
  }
  return ok({
    targetPrefixes: parts.flatMap((part) => part.targetPrefixes),
    targetPortRanges: parts.flatMap((part) => part.targetPortRanges),
    targetProtocols: [...new Set(parts.flatMap((part) => part.targetProtocols))],
    targetFqdns: parts.flatMap((part) => part.targetFqdns),
    targetUris: parts.flatMap((part) => part.targetUris),
    aliasNames: scope.aliasNames,
  });
}

/** "once the name is resolved into one or multiple IP addresses, DOTS servers MUST apply the same validation checks". */
function addressesOf(
  view: DomainView,
  name: string,
  field: string,
  resolved: ResolvedNames,
): Result<readonly IpPrefix[], Refusal> {
  if (!ownsName(view.owned, name)) return fail({ code: 'not-owned', target: name });
  const prefixes = (resolved.get(name) ?? []).map((text) => {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined) throw new Error(`the resolver told what is not a prefix: ${text}`);
    return prefix;
  });
  if (prefixes.length === 0) return fail({ code: 'unresolvable', name });
  return checked(view, prefixes, field, name);
}

function checked(
  view: DomainView,
  prefixes: readonly IpPrefix[],
  field: string,
  name?: string,
): Result<readonly IpPrefix[], Refusal> {
  for (const prefix of prefixes) {
    const text = formatIpPrefix(prefix);
    const shown = name === undefined ? text : `${text} (${name})`;
    const refusal = refusePrefix(view.owned, prefix, field, shown);
    if (refusal !== undefined) return fail(refusal);
  }
  return ok(prefixes);
}

/** In the order named; the same prefix with the same ports and protocols once. */
class TargetList {
  readonly list: Target[] = [];
  readonly #seen = new Set<string>();

  add(prefix: IpPrefix, protocols: readonly number[], portRanges: readonly PortRange[]): void {
    const target = { prefix: formatIpPrefix(prefix), protocols, portRanges };
    const key = JSON.stringify(target);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push(target);
  }
}

function invalid(field: string, why: string): Refusal {
  return { code: 'invalid', field, why, section: 'RFC 9132 §4.4.1.1' };
}
