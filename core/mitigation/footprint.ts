/**
 * What overlap is judged by. RFC 9132 §4.4.1.3: "Two mitigation requests from a DOTS client have overlapping scopes if
 * there is a common IP address, IP prefix, FQDN, URI, or alias." Ports and protocols play no part.
 */
import type { Cuid } from '../model/identifiers.ts';
import type { IpPrefix } from '../model/ip-prefix.ts';
import { parseIpPrefix } from '../model/ip-prefix.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { MitigationScope, Target } from '../model/scope.ts';
import { normalizeName } from './domain-name.ts';
import { normalizeUri } from './target-uri.ts';

export interface Footprint {
  readonly prefixes: readonly IpPrefix[];
  readonly names: ReadonlySet<string>;
  readonly uris: ReadonlySet<string>;
  /** Qualified by the client: the same alias name of another client is another alias. */
  readonly aliases: ReadonlySet<string>;
}

export function footprintOf(mitigation: {
  readonly cuid: Cuid;
  readonly scope: MitigationScope;
  readonly targets: readonly Target[];
}): Footprint {
  const { cuid, scope, targets } = mitigation;
  return {
    prefixes: [...new Set(targets.map((target) => target.prefix))].map(canonical),
    names: new Set(scope.targetFqdns.map(normalizeName)),
    uris: new Set(scope.targetUris.map(normalizeUri)),
    aliases: new Set(scope.aliasNames.map((alias) => `${cuid}#${alias}`)),
  };
}

/** The terms that two footprints share by being equal; prefixes are compared by `PrefixIndex` and `overlap.ts`. */
export function termsOf(footprint: Footprint): string[] {
  return [
    ...[...footprint.names].map((name) => `name ${name}`),
    ...[...footprint.uris].map((uri) => `uri ${uri}`),
    ...[...footprint.aliases].map((alias) => `alias ${alias}`),
  ];
}

/** `cuid` and `mid` as one key; `#` cannot be in a cuid. */
export function holderOf(mitigation: Pick<Mitigation, 'cuid' | 'mid'>): string {
  return `${mitigation.cuid}#${mitigation.mid}`;
}

function canonical(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`a stored target is not a prefix: ${text}`);
  return prefix;
}
