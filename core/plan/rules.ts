/** What a profile makes of targets: packet filters, the same for every device that filters packets. */
import type { Profile } from '../model/domain.ts';
import type { PortRange, Target } from '../model/scope.ts';

/** Inclusive. */
export interface Ports {
  readonly lower: number;
  readonly upper: number;
}

/** Matches packets to `destination` for which every non-empty list holds an entry. */
export interface Rule {
  /** Canonical prefix text. */
  readonly destination: string;
  readonly protocols: readonly number[];
  readonly destinationPorts: readonly Ports[];
  readonly sourcePorts: readonly Ports[];
  /** `later`: only fragments after the first, which carry no ports. */
  readonly fragments: 'all' | 'later';
  readonly action: 'drop' | 'limit' | 'divert';
}

const UDP = 17;

/** TCP, UDP, DCCP, SCTP: those that target-port-range speaks of (RFC 9132 §4.4.1.1). */
const PROTOCOLS_WITH_PORTS = [6, UDP, 33, 132];

/**
 * UDP source ports of services known to amplify: chargen, portmap, NTP, NetBIOS, SNMP, CLDAP, RIP, SSDP, WS-Discovery,
 * mDNS, memcached, and 0. DNS and QUIC are not among them: a target may be a resolver's or a browser's own host.
 */
export const REFLECTOR_PORTS: readonly number[] = [
  0, 19, 111, 123, 137, 161, 389, 520, 1900, 3702, 5353, 11211,
];

/** The rules of a bare request. Never "drop all to the target", except where the operator chose `blackhole`. */
export function rulesOf(
  profile: Profile,
  targets: readonly Target[],
  reflectorPorts: readonly number[] = REFLECTOR_PORTS,
): readonly Rule[] {
  return distinct(targets.flatMap((target) => rulesOfTarget(profile, target, reflectorPorts)));
}

/** What the rules really act on: a blackhole takes every port and protocol, reflectors leave all but UDP alone. */
export function actualTargets(profile: Profile, targets: readonly Target[]): readonly Target[] {
  switch (profile) {
    case 'blackhole':
      return distinct(targets.map(({ prefix }) => ({ prefix, protocols: [], portRanges: [] })));
    case 'reflectors':
      return targets.filter(takesUdp).map((target) => ({ ...target, protocols: [UDP] }));
    case 'limit':
    case 'divert':
      return targets;
    case 'acl-only':
      return [];
  }
}

function rulesOfTarget(profile: Profile, target: Target, reflectorPorts: readonly number[]): readonly Rule[] {
  switch (profile) {
    case 'blackhole':
      return [{ ...ALL, destination: target.prefix, action: 'drop' }];
    case 'reflectors':
      return takesUdp(target) ? reflectorRules(target, reflectorPorts) : [];
    case 'limit':
    case 'divert':
      return selectorsOf(target).map((selector) => ({ ...selector, action: profile }));
    case 'acl-only':
      return [];
  }
}

const ALL = { protocols: [], destinationPorts: [], sourcePorts: [], fragments: 'all' } as const;

function reflectorRules(target: Target, reflectorPorts: readonly number[]): readonly Rule[] {
  const reflected: Rule = {
    destination: target.prefix,
    protocols: [UDP],
    destinationPorts: target.portRanges.map(ports),
    sourcePorts: reflectorPorts.map((port) => ({ lower: port, upper: port })),
    fragments: 'all',
    action: 'drop',
  };
  if (target.portRanges.length > 0) return [reflected];
  // The rest of an amplified answer arrives as fragments without ports.
  return [reflected, { ...reflected, sourcePorts: [], fragments: 'later' }];
}

/** A target may name ports along with a protocol that has none: the ports then bind the others alone. */
function selectorsOf(target: Target): readonly Omit<Rule, 'action'>[] {
  const { prefix: destination, protocols, portRanges } = target;
  if (portRanges.length === 0) return [{ ...ALL, destination, protocols }];
  const portless = protocols.filter((protocol) => !PROTOCOLS_WITH_PORTS.includes(protocol));
  const ported =
    protocols.length === 0 ? PROTOCOLS_WITH_PORTS : protocols.filter((p) => !portless.includes(p));
  const selectors = [];
  if (ported.length > 0)
    selectors.push({ ...ALL, destination, protocols: ported, destinationPorts: portRanges.map(ports) });
  if (portless.length > 0) selectors.push({ ...ALL, destination, protocols: portless });
  return selectors;
}

const takesUdp = ({ protocols }: Target): boolean => protocols.length === 0 || protocols.includes(UDP);

const ports = ({ lowerPort, upperPort }: PortRange): Ports => ({
  lower: lowerPort,
  upper: upperPort ?? lowerPort,
});

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
