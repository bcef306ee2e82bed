/** Paths: what a plan announces, and how to recognise it again in GoBGP's tables. */
import { createHash } from 'node:crypto';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { Plan } from '#core/plan/plan.ts';
import { type Rule, rulesOf } from '#core/plan/rules.ts';
import type { GobgpConfig } from './config.ts';
import { type Family, flowSpecNlri, type Nlri, readNlri, unicastNlri } from './nlri.ts';
import { type Any, packAny, unpackAny } from './schema.ts';

/** RFC 7999 §5; RFC 1997. */
const BLACKHOLE = 0xffff_029a;
const NO_EXPORT = 0xffff_ff01;

/** Origin IGP (RFC 4271 §5.1.1). */
const ORIGIN_IGP = 0;

export interface AnnouncedPath {
  readonly nlri: Nlri;
  /** Of the mitigation, `hash:mid`. */
  readonly key: string;
  /**
   * Tells apart the paths of two mitigations to one NLRI: GoBGP keeps them side by side, announces one of them, and
   * withdraws the NLRI only when the last is gone.
   */
  readonly identifier: number;
  /** What routers do with it: equal for two paths that do the same. */
  readonly effect: string;
  readonly attributes: readonly Any[];
}

/** As GoBGP writes it. */
export interface WirePath {
  readonly nlri: Any | null;
  readonly pattrs: readonly Any[];
  readonly identifier: number;
  readonly neighbor_ip: string;
}

/**
 * A mitigation as a large community (RFC 8092) and a path identifier can carry it. 32 bits of hash: two clients of one
 * domain may collide, which matters only if they use the same mid and ask for the same prefix.
 */
export function tagOf({ domainId, cuid, mid }: MitigationKey): {
  readonly hash: number;
  readonly identifier: number;
  readonly key: string;
} {
  const hash = hash32(`${domainId}\n${cuid}`);
  // 0 is what a path without an identifier has.
  return { hash, identifier: hash32(`${hash}\n${mid}`) || 1, key: `${hash}:${mid}` };
}

export function pathsOf(plan: Plan, config: GobgpConfig, asn: number): readonly AnnouncedPath[] {
  return rulesOf(plan.profile, plan.targets, config.reflectorPorts).map((rule) => {
    const { hash, identifier, key } = tagOf(plan.key);
    const action = plan.profile === 'blackhole' ? blackhole(rule, config) : flow(rule, config);
    const tag = { global_admin: asn, local_data1: hash, local_data2: plan.key.mid };
    const attributes = [
      packAny('OriginAttribute', { origin: ORIGIN_IGP }),
      ...action.attributes,
      packAny('LargeCommunitiesAttribute', { communities: [tag] }),
    ];
    return { nlri: action.nlri, key, identifier, effect: effectOf(attributes), attributes };
  });
}

/** The path if this deployment announced it; undefined for everyone else's. */
export function readOwnPath(family: Family, path: WirePath, asn: number): AnnouncedPath | undefined {
  // What a neighbor sent is not ours, whatever it carries.
  if (path.neighbor_ip !== '' && path.neighbor_ip !== '<nil>') return undefined;
  const nlri = path.nlri === null ? undefined : readNlri(family, path.nlri);
  const tag = largeCommunities(path.pattrs).find(({ global_admin }) => global_admin === asn);
  if (nlri === undefined || tag === undefined) return undefined;
  const { identifier, pattrs: attributes } = path;
  const key = `${tag.local_data1}:${tag.local_data2}`;
  return { nlri, key, identifier, effect: effectOf(attributes), attributes };
}

interface LargeCommunity {
  readonly global_admin: number;
  readonly local_data1: number;
  readonly local_data2: number;
}

function largeCommunities(attributes: readonly Any[]): readonly LargeCommunity[] {
  return attributes.flatMap((attribute) => {
    const fields = unpackAny('LargeCommunitiesAttribute', attribute);
    return fields === undefined ? [] : (fields as { communities: LargeCommunity[] }).communities;
  });
}

interface Action {
  readonly nlri: Nlri;
  readonly attributes: readonly Any[];
}

function blackhole(rule: Rule, { nextHop, nextHop6 }: GobgpConfig): Action {
  const nlri = unicastNlri(rule.destination);
  const towards =
    nlri.family.afi === 1
      ? packAny('NextHopAttribute', { next_hop: nextHop })
      : packAny('MpReachNLRIAttribute', {
          family: nlri.family,
          next_hops: [nextHop6],
          nlris: [nlri.message],
        });
  // RFC 7999 §3.2: a BLACKHOLE route should carry NO_ADVERTISE or NO_EXPORT as well.
  return {
    nlri,
    attributes: [towards, packAny('CommunitiesAttribute', { communities: [BLACKHOLE, NO_EXPORT] })],
  };
}

function flow(rule: Rule, config: GobgpConfig): Action {
  const nlri = flowSpecNlri(rule);
  // A flow has no next hop (RFC 8955 §4); GoBGP insists on one and leaves it out of the update.
  const towards =
    nlri.family.afi === 1
      ? packAny('NextHopAttribute', { next_hop: '0.0.0.0' })
      : packAny('MpReachNLRIAttribute', { family: nlri.family, next_hops: ['::'], nlris: [nlri.message] });
  const community = flowAction(rule, config);
  return {
    nlri,
    attributes: [towards, packAny('ExtendedCommunitiesAttribute', { communities: [community] })],
  };
}

/** Traffic filtering actions (RFC 8955 §7): the rate is in bytes per second, 0 discards. */
function flowAction({ action }: Rule, { bytesPerSecond, divertTo }: GobgpConfig): Any {
  if (action === 'drop') return packAny('TrafficRateExtended', { asn: 0, rate: 0 });
  if (action === 'limit') {
    if (bytesPerSecond === undefined) throw new Error('profile limit without bytesPerSecond');
    return packAny('TrafficRateExtended', { asn: 0, rate: bytesPerSecond });
  }
  if (divertTo === undefined) throw new Error('profile divert without divertTo');
  const [asn = 0, local_admin = 0] = divertTo.split(':').map(Number);
  const kind = asn > 0xffff ? 'RedirectFourOctetAsSpecificExtended' : 'RedirectTwoOctetAsSpecificExtended';
  return packAny(kind, { asn, local_admin });
}

/** Communities only: next hops and origins are rewritten on the way. */
function effectOf(attributes: readonly Any[]): string {
  const effects = attributes.flatMap((attribute) => {
    const communities = unpackAny('CommunitiesAttribute', attribute);
    if (communities !== undefined) return (communities as { communities: number[] }).communities.map(String);
    const extended = unpackAny('ExtendedCommunitiesAttribute', attribute);
    if (extended === undefined) return [];
    return (extended as { communities: Any[] }).communities.map(actionText);
  });
  return effects.sort().join(' ');
}

function actionText(community: Any): string {
  const rate = unpackAny('TrafficRateExtended', community) as { rate: number } | undefined;
  if (rate !== undefined) return `rate:${rate.rate}`;
  const redirect =
    unpackAny('RedirectTwoOctetAsSpecificExtended', community) ??
    unpackAny('RedirectFourOctetAsSpecificExtended', community);
  if (redirect === undefined) return community.type_url;
  const { asn, local_admin } = redirect as { asn: number; local_admin: number };
  return `redirect:${asn}:${local_admin}`;
}

function hash32(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}
