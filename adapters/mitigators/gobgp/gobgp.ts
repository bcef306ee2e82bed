/**
 * GoBGP as a mitigator: blackhole routes (RFC 7999) and FlowSpec (RFC 8955, RFC 8956). Paths made over the API live as
 * long as gobgpd does: after a restart `collect` finds them missing and they are announced again.
 */
import type { Profile } from '#core/model/domain.ts';
import type { Capabilities, Plan } from '#core/plan/plan.ts';
import { actualTargets } from '#core/plan/rules.ts';
import type { EnsureResult, Health, Installed, Mitigator } from '#core/ports/mitigator.ts';
import { SharedReading } from '../shared-reading.ts';
import { GobgpClient } from './client.ts';
import type { GobgpConfig } from './config.ts';
import { type AnnouncedPath, pathsOf, tagOf } from './paths.ts';
import { type Routes, readRoutes } from './routes.ts';

/** Announcements of one mitigation. */
const MOST_RULES = 1_000;

/** `collect` looks at many mitigations in a row: they share one reading of the tables. */
const READING_MS = 500;

export function createGobgpMitigator(name: string, config: GobgpConfig): Mitigator {
  const client = new GobgpClient(config);
  const readings = new SharedReading(() => readRoutes(client), READING_MS);

  return {
    name,
    capabilities: capabilitiesOf(config),
    keyOf: (plan) => tagOf(plan.key).key,

    async ensure(plan) {
      const before = await readings.fresh();
      const wanted = pathsOf(plan, config, before.asn);
      const present = before.own(tagOf(plan.key).key);
      // New ones first: between two generations the target stays covered.
      for (const path of wanted) if (!present.some((one) => isSame(one, path))) await client.add(path);
      for (const path of present)
        if (!wanted.some((one) => isSameRoute(one, path))) await client.delete(path);
      return stateOf(plan, wanted, await readings.fresh());
    },

    async remove(plan) {
      const routes = await readings.fresh();
      for (const path of routes.own(tagOf(plan.key).key)) await client.delete(path);
      readings.forget();
    },

    async collect(plan) {
      const routes = await readings.recent();
      const wanted = pathsOf(plan, config, routes.asn);
      const present = routes.own(tagOf(plan.key).key);
      const isComplete =
        present.length === wanted.length && wanted.every((path) => present.some((one) => isSame(one, path)));
      return isComplete ? stateOf(plan, wanted, routes) : undefined;
    },

    async *list() {
      const routes = await readings.fresh();
      for (const path of routes.all()) yield { key: path.key, refs: path, prefix: destinationOf(path) };
    },

    async removeInstalled({ refs }: Installed) {
      await client.delete(refs as AnnouncedPath);
      readings.forget();
    },

    health: () => healthOf(client, config),

    close() {
      client.close();
      return Promise.resolve();
    },
  };
}

function capabilitiesOf(config: GobgpConfig): Capabilities {
  const profiles: Profile[] = ['reflectors'];
  if (config.nextHop !== undefined) profiles.push('blackhole');
  if (config.bytesPerSecond !== undefined) profiles.push('limit');
  if (config.divertTo !== undefined) profiles.push('divert');
  return { families: [4, 6], ports: true, protocols: true, profiles, counters: 'none', maxRules: MOST_RULES };
}

/** Active when every path is announced, by itself or by one of the same effect, to a neighbor that is there. */
function stateOf(plan: Plan, wanted: readonly AnnouncedPath[], routes: Routes): EnsureResult {
  const reach = actualTargets(plan.profile, plan.targets);
  if (routes.peers.length === 0)
    return { state: 'pending', actualTargets: reach, reason: 'no BGP neighbor has an established session' };
  const unannounced = wanted.filter((path) => !routes.isAnnounced(path));
  if (unannounced.length === 0) return { state: 'active', actualTargets: reach };
  const which = unannounced.map(({ nlri }) => nlri.text).join('; ');
  return { state: 'pending', actualTargets: reach, reason: `announced to no neighbor: ${which}` };
}

async function healthOf(client: GobgpClient, { address }: GobgpConfig): Promise<Health> {
  try {
    const peers = await client.establishedPeers();
    if (peers.length > 0)
      return { healthy: true, detail: `gobgpd at ${address}, established: ${peers.join(', ')}` };
    return {
      healthy: false,
      detail: `gobgpd at ${address} has no established neighbor: see \`gobgp neighbor\``,
    };
  } catch (error) {
    return {
      healthy: false,
      detail: `gobgpd at ${address} does not answer (${(error as Error).message}): is it running with --api-hosts?`,
    };
  }
}

/** The NLRI's text begins with it. */
const destinationOf = ({ nlri }: AnnouncedPath): string => nlri.text.split(' ')[0] ?? '';

const isSameRoute = (left: AnnouncedPath, right: AnnouncedPath): boolean =>
  left.nlri.text === right.nlri.text &&
  left.nlri.family.afi === right.nlri.family.afi &&
  left.nlri.family.safi === right.nlri.family.safi &&
  left.identifier === right.identifier;

const isSame = (left: AnnouncedPath, right: AnnouncedPath): boolean =>
  isSameRoute(left, right) && left.effect === right.effect;
