/** How target names become addresses on this machine: the configured table first, then name servers on loopback. */
import { getServers } from 'node:dns';
import { createDnsResolver } from '#adapters/dns/resolver.ts';
import { tableResolver } from '#adapters/dns/table-resolver.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Resolver } from '#core/ports/resolver.ts';
import { type Config, LOOPBACK } from '../config/schema.ts';

/** Without any name server on loopback only the table's names can be resolved. */
export function openResolver(config: Config['resolver'], clock: Clock): Resolver {
  const table = tableResolver(config?.names ?? {});
  const servers = config?.servers ?? getServers().filter((server) => LOOPBACK.test(server));
  const dns = servers.length === 0 ? undefined : createDnsResolver({ servers, clock });
  return {
    resolve: async (name) => (await table.resolve(name)) ?? (await dns?.resolve(name)),
  };
}
