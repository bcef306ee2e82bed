/** What makes the targets of a request valid (RFC 9132 §4.4.1.1), beyond their types. */
import { isForbiddenTarget, parseIpPrefix } from '../model/ip-prefix.ts';
import type { MitigationScope, PortRange } from '../model/scope.ts';
import type { BodyReader } from './body-reader.ts';
import { isDomainName, parseTargetUri } from './target-name.ts';

/** Refuses through `reader` the first rule that `scope` breaks. */
export function checkScope(scope: MitigationScope, reader: BodyReader): void {
  const { targetPrefixes, targetFqdns, targetUris, aliasNames } = scope;
  if (targetPrefixes.length + targetFqdns.length + targetUris.length + aliasNames.length === 0) {
    reader.refuse('target-prefix', 'one of target-prefix, target-fqdn, target-uri and alias-name is needed');
  }
  for (const prefix of targetPrefixes) checkPrefix(prefix, reader);
  checkPortRanges(scope.targetPortRanges, reader);
  if (!targetFqdns.every(isDomainName)) reader.refuse('target-fqdn', 'not a domain name');
  for (const uri of targetUris) checkUri(uri, reader);
}

function checkPrefix(text: string, reader: BodyReader): void {
  const prefix = text.includes('/') ? parseIpPrefix(text) : undefined;
  if (prefix === undefined) reader.refuse('target-prefix', 'not an IP prefix, address/length');
  else if (isForbiddenTarget(prefix)) reader.refuse('target-prefix', 'broadcast, loopback or multicast');
}

/** YANG `must "../lower-port <= ."` and `key lower-port` (§5.3). */
function checkPortRanges(ranges: readonly PortRange[], reader: BodyReader): void {
  const seen = new Set<number>();
  for (const { lowerPort, upperPort } of ranges) {
    if (upperPort !== undefined && upperPort < lowerPort) reader.refuse('upper-port', 'below lower-port');
    if (seen.has(lowerPort)) reader.refuse('lower-port', `${lowerPort} stands twice`);
    seen.add(lowerPort);
  }
}

/** S-082: a URI's host passes the checks of a name or, as an address, those of a prefix. */
function checkUri(text: string, reader: BodyReader): void {
  const uri = parseTargetUri(text);
  if (uri === undefined) {
    reader.refuse('target-uri', 'not a URI with a host');
    return;
  }
  const address = parseIpPrefix(uri.host);
  if (address === undefined && !isDomainName(uri.host)) reader.refuse('target-uri', 'its host is not a name');
  if (address !== undefined && isForbiddenTarget(address)) {
    reader.refuse('target-uri', 'broadcast, loopback or multicast');
  }
}
