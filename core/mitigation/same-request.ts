/**
 * Is it the same request again? RFC 9132 §4.4.1.3: a refresh "MUST repeat all the other parameters as sent in the
 * original mitigation request apart from a possible change to the 'lifetime' parameter value". Compared by what is
 * meant: order, repetition, host bits (D23) and the case of names make no difference.
 */

import { formatIpPrefix, parseIpPrefix } from '../model/ip-prefix.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { MitigationScope, PortRange } from '../model/scope.ts';
import { normalizeName } from './domain-name.ts';
import { normalizeUri } from './target-uri.ts';

/** Wire name of the first parameter that differs, or undefined for the same request. */
export function changedParameter(
  existing: Pick<Mitigation, 'scope' | 'triggerMitigation'>,
  asked: { readonly scope: MitigationScope; readonly triggerMitigation: boolean },
): string | undefined {
  for (const [parameter, valuesOf] of PARAMETERS) {
    const before = new Set(valuesOf(existing.scope));
    const after = new Set(valuesOf(asked.scope));
    if (before.size !== after.size || [...before].some((value) => !after.has(value))) return parameter;
  }
  return existing.triggerMitigation === asked.triggerMitigation ? undefined : 'trigger-mitigation';
}

const PARAMETERS: readonly (readonly [string, (scope: MitigationScope) => readonly string[]])[] = [
  ['target-prefix', (scope) => scope.targetPrefixes.map(masked)],
  ['target-port-range', (scope) => scope.targetPortRanges.map(bounds)],
  ['target-protocol', (scope) => scope.targetProtocols.map(String)],
  ['target-fqdn', (scope) => scope.targetFqdns.map(normalizeName)],
  ['target-uri', (scope) => scope.targetUris.map(normalizeUri)],
  ['alias-name', (scope) => scope.aliasNames],
];

function masked(text: string): string {
  const prefix = parseIpPrefix(text);
  return prefix === undefined ? text : formatIpPrefix(prefix);
}

/** "When only 'lower-port' is present, it represents a single port number." */
function bounds(range: PortRange): string {
  return `${range.lowerPort}-${range.upperPort ?? range.lowerPort}`;
}
