/**
 * Requests too large for one datagram (RFC 9132 §7.3): "the DOTS client MUST split the DOTS signal into separate messages;
 * for example, the list of addresses in the 'target-prefix' parameter could be split into multiple lists".
 */
import { containsPrefix, parseIpPrefix } from '../model/ip-prefix.ts';
import type { MitigationRequestBody } from '../signal/bodies.ts';
import { encodeMitigationRequest } from '../signal/mitigation-codec.ts';

/**
 * Bytes of a body that goes in one datagram on a path of 1280 bytes, whatever the cuid and the suite: 48 are of IP and UDP,
 * 37 of the record, up to 194 of CoAP's header, token and options.
 */
export const LARGEST_BODY = 1_000;

/**
 * The body itself when it has at most `largest` bytes, else several that together ask for the same. Each needs a mid of
 * its own, and since of two that overlap the higher mid would end the lower, what another prefix contains is left out.
 *
 * Deviation: a scope with names or aliases stays whole, and goes block-wise: what they resolve to may overlap.
 */
export function splitRequest(
  body: MitigationRequestBody,
  largest: number = LARGEST_BODY,
): readonly [MitigationRequestBody, ...MitigationRequestBody[]] {
  const { scope } = body;
  const named = scope.targetFqdns.length + scope.targetUris.length + scope.aliasNames.length > 0;
  if (named || sizeOf(body) <= largest) return [body];
  const parts: MitigationRequestBody[] = [];
  for (const prefix of withoutContained(scope.targetPrefixes)) {
    const last = parts.at(-1);
    const grown = last === undefined ? undefined : withPrefixes(body, [...last.scope.targetPrefixes, prefix]);
    if (grown !== undefined && sizeOf(grown) <= largest) parts[parts.length - 1] = grown;
    else parts.push(withPrefixes(body, [prefix]));
  }
  const [first = body, ...others] = parts;
  return [first, ...others];
}

const sizeOf = (body: MitigationRequestBody): number => encodeMitigationRequest(body).length;

const withPrefixes = (
  body: MitigationRequestBody,
  targetPrefixes: readonly string[],
): MitigationRequestBody => ({ ...body, scope: { ...body.scope, targetPrefixes } });

/** In the order given. What is no prefix stays, for the server to refuse. */
function withoutContained(texts: readonly string[]): readonly string[] {
  const prefixes = texts.map((text) => parseIpPrefix(text));
  return texts.filter((_, index) => {
    const inner = prefixes[index];
    if (inner === undefined) return true;
    return !prefixes.some((outer, other) => {
      if (outer === undefined || other === index || !containsPrefix(outer, inner)) return false;
      // Of two that are the same the first stays.
      return outer.length < inner.length || other < index;
    });
  });
}
