/** Rules against a reference matcher that reads the request's own words (RFC 9132 §4.4.1.1). */
import fc from 'fast-check';
import type { Profile } from '#core/model/domain.ts';
import { DEFAULT_POLICY } from '#core/model/domain.ts';
import { containsPrefix, overlapsPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Target } from '#core/model/scope.ts';
import { makePlan } from '#core/plan/make-plan.ts';
import type { Capabilities } from '#core/plan/plan.ts';
import { actualTargets, REFLECTOR_PORTS, type Rule, rulesOf } from '#core/plan/rules.ts';
import { makeDomain, makeMitigation } from '#test/support/records.ts';

interface Packet {
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A fragment behind the first has no ports to look at. */
  readonly isLaterFragment: boolean;
}

const WITH_PORTS = [6, 17, 33, 132];
const contains = (outer: string, inner: string): boolean => {
  const [left, right] = [parseIpPrefix(outer), parseIpPrefix(inner)];
  return left !== undefined && right !== undefined && containsPrefix(left, right);
};

function isAskedFor(packet: Packet, { prefix, protocols, portRanges }: Target): boolean {
  if (!contains(prefix, packet.destination)) return false;
  if (protocols.length > 0 && !protocols.includes(packet.protocol)) return false;
  if (portRanges.length === 0) return true;
  if (!WITH_PORTS.includes(packet.protocol)) return protocols.length > 0;
  if (packet.isLaterFragment) return false;
  return portRanges.some(
    ({ lowerPort, upperPort = lowerPort }) =>
      packet.destinationPort >= lowerPort && packet.destinationPort <= upperPort,
  );
}

function matches(packet: Packet, rule: Rule): boolean {
  const within = (ports: Rule['sourcePorts'], port: number): boolean =>
    ports.length === 0 ||
    (!packet.isLaterFragment && ports.some(({ lower, upper }) => port >= lower && port <= upper));
  return (
    contains(rule.destination, packet.destination) &&
    (rule.protocols.length === 0 || rule.protocols.includes(packet.protocol)) &&
    within(rule.destinationPorts, packet.destinationPort) &&
    within(rule.sourcePorts, packet.sourcePort) &&
    (rule.fragments === 'all' || packet.isLaterFragment)
  );
}

const protocol = fc.constantFrom(1, 6, 17, 33, 47, 58, 132);
const port = fc.oneof(
  fc.constantFrom(0, 53, 80, 123, 443, 1900, 11_211),
  fc.integer({ min: 0, max: 65_535 }),
);
const prefix = fc.constantFrom(
  '192.0.2.0/24',
  '192.0.2.0/25',
  '192.0.2.1/32',
  '192.0.2.200/32',
  '2001:db8::/32',
  '2001:db8::1/128',
);
const target: fc.Arbitrary<Target> = fc.record({
  prefix,
  protocols: fc.uniqueArray(protocol, { maxLength: 3 }),
  portRanges: fc.array(
    fc
      .tuple(port, port)
      .map(([one, other]) => ({ lowerPort: Math.min(one, other), upperPort: Math.max(one, other) })),
    { maxLength: 3 },
  ),
});
const targets = fc.array(target, { minLength: 1, maxLength: 5 });
const packet: fc.Arbitrary<Packet> = fc.record({
  destination: fc.constantFrom(
    '192.0.2.1',
    '192.0.2.77',
    '192.0.2.200',
    '192.0.3.1',
    '2001:db8::1',
    '2001:db9::1',
  ),
  protocol,
  sourcePort: port,
  destinationPort: port,
  isLaterFragment: fc.boolean(),
});
const RUNS = { numRuns: 2_000 };

test('limit and divert act on exactly what was asked for', () => {
  fc.assert(
    fc.property(fc.constantFrom<Profile>('limit', 'divert'), targets, packet, (profile, asked, one) => {
      const isMatched = rulesOf(profile, asked).some((rule) => matches(one, rule));
      expect(isMatched).toBe(asked.some((each) => isAskedFor(one, each)));
    }),
    RUNS,
  );
});

test('reflectors act on asked-for UDP alone, by source port or as later fragments', () => {
  fc.assert(
    fc.property(targets, packet, (asked, one) => {
      const isMatched = rulesOf('reflectors', asked).some((rule) => matches(one, rule));
      const isReflected = one.isLaterFragment || REFLECTOR_PORTS.includes(one.sourcePort);
      expect(isMatched).toBe(
        one.protocol === 17 && isReflected && asked.some((each) => isAskedFor(one, each)),
      );
    }),
    RUNS,
  );
});

test('whatever a rule matches lies within the actual targets that are reported', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Profile>('limit', 'divert', 'reflectors', 'blackhole'),
      targets,
      packet,
      (profile, asked, one) => {
        fc.pre(rulesOf(profile, asked).some((rule) => matches(one, rule)));
        expect(actualTargets(profile, asked).some((each) => isAskedFor(one, each))).toBe(true);
      },
    ),
    RUNS,
  );
});

test('a plan holds only targets that were asked for, keeps to the capabilities, and never touches what it must not', () => {
  const capabilities: fc.Arbitrary<Capabilities> = fc.record({
    families: fc.constantFrom<readonly (4 | 6)[]>([4], [6], [4, 6]),
    ports: fc.boolean(),
    protocols: fc.boolean(),
    profiles: fc.subarray<Profile>(['limit', 'divert', 'reflectors', 'blackhole'], { minLength: 1 }),
    counters: fc.constantFrom('exact', 'none'),
    maxRules: fc.integer({ min: 1, max: 6 }),
  });
  const profiles = fc.constantFrom<Profile>('limit', 'divert', 'reflectors', 'blackhole', 'acl-only');
  const kept = fc.subarray(['192.0.2.200/32', '2001:db8:1::/48']);
  fc.assert(
    fc.property(capabilities, profiles, targets, kept, (able, profile, asked, neverTouch) => {
      const domain = makeDomain({ policy: { ...DEFAULT_POLICY, neverTouch } });
      const mitigation = makeMitigation({ targets: asked });
      const result = makePlan(mitigation, domain, { name: 'edge', profile }, able, 1_800_000_000);
      if (!result.planned) {
        expect(result.reason).toMatch(/^edge: ./);
        return;
      }
      const { plan } = result;
      expect(able.profiles).toContain(plan.profile);
      expect(plan.targets.length).toBeGreaterThan(0);
      expect(rulesOf(plan.profile, plan.targets).length).toBeLessThanOrEqual(able.maxRules);
      for (const each of plan.targets) {
        expect(asked).toContain(each);
        expect(able.families).toContain(each.prefix.includes(':') ? 6 : 4);
        if (profile !== 'blackhole') {
          expect(able.ports || each.portRanges.length === 0).toBe(true);
          expect(able.protocols || each.protocols.length === 0).toBe(true);
        }
        for (const never of neverTouch) {
          const [left, right] = [parseIpPrefix(never), parseIpPrefix(each.prefix)];
          expect(left !== undefined && right !== undefined && overlapsPrefix(left, right)).toBe(false);
        }
      }
    }),
    RUNS,
  );
});
