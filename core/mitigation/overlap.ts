/** What two overlapping requests have in common, as `conflict-scope` tells it (RFC 9132 §4.4.1.3). */
import type { ConflictScope } from '../model/conflict.ts';
import { containsPrefix, formatIpPrefix, overlapsPrefix } from '../model/ip-prefix.ts';
import type { Mitigation } from '../model/mitigation.ts';
import { type Footprint, footprintOf, termsOf } from './footprint.ts';
import { normalizeUri } from './target-uri.ts';

/** Entries per list: a 4.09 has to fit into one datagram. */
const MOST_LISTED = 8;

/**
 * The shared prefixes (always the narrower of two, hence within the scope of either client), names and URIs. Neither
 * mid nor cuid of the other client: "details of the other client" stay its own.
 */
export function sharedScope(mitigation: Mitigation, others: readonly Mitigation[]): ConflictScope {
  const mine = footprintOf(mitigation);
  const prefixes = new Set<string>();
  const names = new Set<string>();
  const uris = new Set<string>();
  for (const other of others) {
    const theirs = footprintOf(other);
    for (const prefix of sharedPrefixes(mine, theirs)) prefixes.add(prefix);
    for (const name of theirs.names) if (mine.names.has(name)) names.add(name);
    for (const uri of mitigation.scope.targetUris) if (theirs.uris.has(normalizeUri(uri))) uris.add(uri);
  }
  const few = (values: ReadonlySet<string>): string[] => [...values].sort().slice(0, MOST_LISTED);
  return {
    ...(prefixes.size > 0 ? { targetPrefixes: few(prefixes) } : {}),
    ...(names.size > 0 ? { targetFqdns: few(names) } : {}),
    ...(uris.size > 0 ? { targetUris: few(uris) } : {}),
  };
}

/** For two that are at hand; among all of a domain, `DomainView` looks them up. */
export function overlaps(left: Mitigation, right: Mitigation): boolean {
  const mine = footprintOf(left);
  const theirs = footprintOf(right);
  const terms = new Set(termsOf(theirs));
  return (
    termsOf(mine).some((term) => terms.has(term)) ||
    mine.prefixes.some((prefix) => theirs.prefixes.some((other) => overlapsPrefix(prefix, other)))
  );
}

function* sharedPrefixes(left: Footprint, right: Footprint): Generator<string> {
  for (const mine of left.prefixes) {
    for (const theirs of right.prefixes) {
      if (containsPrefix(mine, theirs)) yield formatIpPrefix(theirs);
      else if (containsPrefix(theirs, mine)) yield formatIpPrefix(mine);
    }
  }
}
