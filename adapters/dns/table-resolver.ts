/** Names from a fixed table: for domains whose addresses the operator knows, and for machines without a name server. */
import { normalizeName } from '#core/mitigation/domain-name.ts';
import { formatIpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Resolver } from '#core/ports/resolver.ts';

const TABLE_TTL_SECONDS = 3600;

/** `addresses` by name; throws for what is not an address. */
export function tableResolver(addresses: Readonly<Record<string, readonly string[]>>): Resolver {
  const table = new Map(
    Object.entries(addresses).map(([name, list]) => [normalizeName(name), list.map(hostPrefix)]),
  );
  return {
    resolve: (name) => {
      const prefixes = table.get(normalizeName(name));
      return Promise.resolve(
        prefixes === undefined ? undefined : { prefixes, ttlSeconds: TABLE_TTL_SECONDS },
      );
    },
  };
}

/** `192.0.2.1/32` for `192.0.2.1`. */
export function hostPrefix(address: string): string {
  const prefix = address.includes('/') ? undefined : parseIpPrefix(address);
  if (prefix === undefined) throw new Error(`not an address: ${address}`);
  return formatIpPrefix(prefix);
}
