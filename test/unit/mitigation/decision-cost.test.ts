/** A decision costs the same with ten active mitigations as with fifty thousand: counted in index steps, not in time. */

import type { Command } from '#core/mitigation/command.ts';
import { decide } from '#core/mitigation/decide.ts';
import { DomainView } from '#core/mitigation/domain-view.ts';
import type { Mid } from '#core/model/identifiers.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import {
  DUE,
  demoDomain,
  efficacy,
  lost,
  NOON,
  prefixes,
  put,
  requester,
  World,
  withdrawal,
} from './fixtures.ts';

const alice = requester('alice');
const bob = requester('bob');
const address = (number: number): string =>
  `2001:db8:${(number >> 8).toString(16)}:${(number & 255).toString(16)}::1/128`;

function domainWith(count: number): DomainView {
  const world = new World();
  world.ask(put(alice, 0, prefixes(address(0))));
  const first = world.record(alice, 0);
  const mitigations = Array.from(
    { length: count },
    (_, number): Mitigation => ({
      ...first,
      mid: number as Mid,
      scope: prefixes(address(number)),
      targets: [{ prefix: address(number), protocols: [], portRanges: [] }],
      expiresAt: NOON + 3600 + number,
    }),
  );
  return new DomainView({ sv: 1, domain: demoDomain(), mitigations, aliases: [] });
}

const cost = (view: DomainView, command: Command, now = NOON): number => {
  const before = view.cost.probes;
  decide(view, command, now);
  return view.cost.probes - before;
};

const few = domainWith(10);
const many = domainWith(50_000);

/** One node per bit of the deepest path at most: the trie's only growth. */
const DEPTH = 128;

test.each<[string, Command, number]>([
  ['a request beside the others', put(alice, 60_000, prefixes('192.0.2.1/32')), 0],
  ['a request among the others', put(alice, 60_000, prefixes('2001:db8:0:5::/64')), DEPTH],
  ['a conflict', put(bob, 1, prefixes(address(5))), 2 * DEPTH],
  ['a refresh', put(alice, 5, prefixes(address(5))), DEPTH],
  ['an efficacy update', efficacy(alice, 5, prefixes(address(5))), DEPTH],
  ['a withdrawal', withdrawal(alice, 5), 0],
  ['an unknown withdrawal', withdrawal(bob, 5), 0],
  ['a lost session', lost(alice), 0],
  ['a sweep with nothing due', DUE, 0],
])('%s', (_what, command, growth) => {
  const small = cost(few, command);
  expect(small).toBeLessThan(DEPTH);
  expect(cost(many, command) - small).toBeLessThanOrEqual(growth === 0 ? 2 : Math.min(growth, 48));
});

test('a sweep reads what is due and nothing beyond', () => {
  expect(cost(many, DUE, NOON + 3600 + 9)).toBeLessThanOrEqual(cost(few, DUE, NOON + 3600 + 9) + 2);
});

test('the count is of something: what overlaps with everything reads everything', () => {
  const everything = put(bob, 1, prefixes('2001:db8::/32'));
  expect(cost(few, everything)).toBeGreaterThan(20);
});
