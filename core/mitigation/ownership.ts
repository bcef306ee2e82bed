/**
 * What a domain may name. RFC 9132 §4.4.1.1: "the DOTS server MUST validate that target prefixes are within the scope of
 * the DOTS client domain"; §11: no action beyond the client domain's own resources. All or nothing.
 */
import type { Domain } from '../model/domain.ts';
import type { IpPrefix } from '../model/ip-prefix.ts';
import {
  containsPrefix,
  formatIpPrefix,
  isForbiddenTarget,
  overlapsPrefix,
  parseIpPrefix,
} from '../model/ip-prefix.ts';
import type { Refusal } from './answer.ts';
import { isWithinName, normalizeName } from './domain-name.ts';

export interface OwnedResources {
  readonly prefixes: readonly IpPrefix[];
  readonly names: readonly string[];
  readonly neverTouch: readonly IpPrefix[];
}

export function ownedResources(domain: Domain): OwnedResources {
  return {
    prefixes: domain.prefixes.map(registered),
    names: domain.names.map(normalizeName),
    neverTouch: domain.policy.neverTouch.map(registered),
  };
}

/**
 * Undefined when every address of `prefix` may be mitigated for the domain. `field` says where the prefix was named,
 * `shown` how the client called it.
 */
export function refusePrefix(
  owned: OwnedResources,
  prefix: IpPrefix,
  field: string,
  shown: string = formatIpPrefix(prefix),
): Refusal | undefined {
  if (isForbiddenTarget(prefix)) {
    const why = `${shown} is a broadcast, loopback or multicast address`;
    return { code: 'invalid', field, why, section: 'RFC 9132 §4.4.1.1' };
  }
  if (!isCovered(prefix, owned.prefixes)) {
    return { code: 'not-owned', target: shown };
  }
  if (owned.neverTouch.some((kept) => overlapsPrefix(kept, prefix))) {
    const why = `${shown} covers addresses that this provider never mitigates`;
    return { code: 'invalid', field, why, section: 'RFC 9132 §4.4.1.1' };
  }
  return undefined;
}

/** True when the name, or one above it, belongs to the domain. `name` is normalized. */
export function ownsName(owned: OwnedResources, name: string): boolean {
  return owned.names.some((own) => isWithinName(name, own));
}

/** True when the prefixes together hold every address of `prefix`: a domain may own it in pieces. */
function isCovered(prefix: IpPrefix, owned: readonly IpPrefix[]): boolean {
  if (owned.some((own) => containsPrefix(own, prefix))) return true;
  const pieces = owned.filter((own) => containsPrefix(prefix, own));
  if (pieces.length < 2) return false;
  const { family, address } = prefix;
  const length = prefix.length + 1;
  const upper = address | (1n << BigInt((family === 4 ? 32 : 128) - length));
  return (
    isCovered({ family, address, length }, pieces) && isCovered({ family, address: upper, length }, pieces)
  );
}

function registered(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`the registry holds what is not a prefix: ${text}`);
  return prefix;
}
