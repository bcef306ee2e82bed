import { DEFAULT_POLICY, type DomainPolicy, type Profile } from '#core/model/domain.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import { makePlan, removalPlan } from '#core/plan/make-plan.ts';
import type { Capabilities, PlanResult } from '#core/plan/plan.ts';
import { rulesOf } from '#core/plan/rules.ts';
import { makeDomain, makeMitigation, withoutExpiry } from '#test/support/records.ts';

const ABLE: Capabilities = {
  families: [4, 6],
  ports: true,
  protocols: true,
  profiles: ['limit', 'reflectors', 'blackhole'],
  counters: 'none',
  maxRules: 10,
};
const NOW = 1_800_000_000;
const target = (prefix: string, protocols: readonly number[] = []) => ({ prefix, protocols, portRanges: [] });

interface Asked {
  readonly profile?: Profile;
  readonly able?: Partial<Capabilities>;
  readonly policy?: Partial<DomainPolicy>;
  readonly mitigation?: Mitigation;
}

function planned({ profile = 'limit', able, policy, mitigation = makeMitigation() }: Asked): PlanResult {
  const domain = makeDomain({ policy: { ...DEFAULT_POLICY, ...policy } });
  return makePlan(mitigation, domain, { name: 'edge', profile }, { ...ABLE, ...able }, NOW);
}

const reasonOf = (asked: Asked): string => {
  const result = planned(asked);
  return result.planned ? 'planned' : result.reason;
};

test('a profile that the driver is not configured for is refused by name', () => {
  expect(reasonOf({ profile: 'divert' })).toBe(
    'edge: profile divert is not configured (it does limit, reflectors, blackhole)',
  );
});

test('what the domain does not own is refused as a whole, though the rest is its own', () => {
  const mitigation = makeMitigation({ targets: [target('192.0.2.1/32'), target('203.0.113.1/32')] });
  expect(reasonOf({ mitigation })).toBe("edge: 203.0.113.1/32 is not the domain's");
  expect(reasonOf({ mitigation: makeMitigation({ targets: [target('192.0.0.0/16')] }) })).toMatch(
    /not the domain/,
  );
});

test('what must never be touched is refused, inside a target as well as around it', () => {
  const policy = { neverTouch: ['192.0.2.1/32'] };
  expect(reasonOf({ policy })).toMatch(/^edge: 192\.0\.2\.1\/32 covers addresses/);
  expect(reasonOf({ policy, mitigation: makeMitigation({ targets: [target('192.0.2.0/24')] }) })).toMatch(
    /^edge: 192\.0\.2\.0\/24 covers/,
  );
});

test('targets of a family that the device cannot do are left out; with nothing left, refused', () => {
  const mitigation = makeMitigation({ targets: [target('192.0.2.1/32'), target('2001:db8::1/128')] });
  expect(planned({ mitigation, able: { families: [4] } })).toMatchObject({
    planned: true,
    plan: { targets: [{ prefix: '192.0.2.1/32' }] },
  });
  expect(reasonOf({ able: { families: [6] } })).toBe('edge: IPv4 is not configured');
});

test('ports are not widened away, except by a blackhole', () => {
  expect(reasonOf({ able: { ports: false } })).toBe('edge: it cannot tell ports apart');
  expect(reasonOf({ able: { ports: false }, profile: 'blackhole' })).toBe('planned');
});

test('reflectors have nothing to do for a target without UDP', () => {
  const mitigation = makeMitigation({ targets: [target('192.0.2.1/32', [6])] });
  expect(reasonOf({ mitigation, profile: 'reflectors' })).toMatch(/nothing to do/);
});

test('fragments carry no ports: where ports are named, reflectors leave them alone', () => {
  const web = { prefix: '192.0.2.1/32', protocols: [], portRanges: [{ lowerPort: 443 }] };
  expect(rulesOf('reflectors', [web]).map(({ fragments }) => fragments)).toEqual(['all']);
  expect(rulesOf('reflectors', [target('192.0.2.1/32')]).map(({ fragments }) => fragments)).toEqual([
    'all',
    'later',
  ]);
});

test('more rules than one mitigation may have are refused', () => {
  const targets = Array.from({ length: 11 }, (_, host) => target(`192.0.2.${host}/32`));
  expect(reasonOf({ mitigation: makeMitigation({ targets }) })).toBe(
    'edge: 11 rules are needed, one mitigation may have 10',
  );
});

test('rules outlive the record by two minutes, and a day where there is no end', () => {
  const plan = (mitigation: Mitigation) => {
    const result = planned({ mitigation });
    return result.planned ? result.plan.leaseSeconds : undefined;
  };
  expect(plan(makeMitigation({ expiresAt: NOW + 1000 }))).toBe(1120);
  expect(plan(makeMitigation({ expiresAt: NOW - 1000 }))).toBe(120);
  expect(plan(withoutExpiry(makeMitigation()))).toBe(86_400);
});

test('taking away needs neither permission nor capability', () => {
  const mitigation = makeMitigation({ targets: [target('203.0.113.1/32')], generation: 2 });
  expect(removalPlan(mitigation, { name: 'edge', profile: 'divert' })).toMatchObject({
    generation: 2,
    targets: mitigation.targets,
  });
});
