/**
 * A plan as nftables objects, all in the table `inet tocsin`. Of each mitigation:
 *
 *   counter NAME        what was dropped
 *   set NAME_4, NAME_6  its targets; the elements time out with the lease, and with them all effect
 *   chain NAME          its rules
 *   in prerouting       a jump to the chain for packets to the set, with a comment to find it again
 *
 * At prerouting, priority raw: before connection tracking, for traffic that is forwarded and traffic that ends here.
 */
import { createHash } from 'node:crypto';
import { containsPrefix, type IpFamily, type IpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { Plan } from '#core/plan/plan.ts';
import { type Ports, type Rule, rulesOf } from '#core/plan/rules.ts';
import { type NftablesConfig, rateOf } from './config.ts';

export const TABLE = 'tocsin';
export const HOOK_CHAIN = 'prerouting';
const HOOK_PRIORITY = -300;

const OWN = { family: 'inet', table: TABLE } as const;

export const TABLE_COMMANDS: readonly object[] = [
  { add: { table: { family: 'inet', name: TABLE } } },
  {
    add: {
      chain: {
        ...OWN,
        name: HOOK_CHAIN,
        type: 'filter',
        hook: 'prerouting',
        prio: HOOK_PRIORITY,
        policy: 'accept',
      },
    },
  },
];

export const DELETE_TABLE: object = { delete: { table: { family: 'inet', name: TABLE } } };

/** Of the mitigation's objects: a hash, as a cuid may hold what an identifier of nftables may not. */
export function nameOf({ domainId, cuid, mid }: MitigationKey): string {
  const hash = createHash('sha256').update(`${domainId}\n${cuid}\n${mid}`).digest('hex');
  return `m${hash.slice(0, 32)}`;
}

export const isMitigationName = (name: string): boolean => /^m[0-9a-f]{32}$/.test(name);

export const setName = (name: string, family: IpFamily): string => `${name}_${family}`;

export interface Ruleset {
  readonly name: string;
  /** Disjoint: an interval set refuses overlapping elements. */
  readonly elements: Readonly<Record<IpFamily, readonly string[]>>;
  readonly rules: readonly object[];
  /** Of rules and targets: tells whether what is installed is what is wanted. */
  readonly comment: string;
}

export function rulesetOf(plan: Plan, config: NftablesConfig): Ruleset {
  const name = nameOf(plan.key);
  const prefixes = plan.targets.map(({ prefix }) => parsed(prefix));
  const disjoint = prefixes.filter(
    (one, index) =>
      !prefixes.some(
        (other, at) =>
          at !== index && containsPrefix(other, one) && (other.length < one.length || at < index),
      ),
  );
  const textsOf = (family: IpFamily): readonly string[] =>
    plan.targets
      .filter((_, at) => disjoint.includes(prefixes[at] as IpPrefix) && prefixes[at]?.family === family)
      .map(({ prefix }) => prefix);
  const elements = { 4: textsOf(4), 6: textsOf(6) };
  const rules = rulesOf(plan.profile, plan.targets, config.reflectorPorts).map((rule) =>
    expressionOf(rule, name, config),
  );
  const print = createHash('sha256')
    .update(JSON.stringify([elements, rules]))
    .digest('hex')
    .slice(0, 16);
  return { name, elements, rules, comment: `${name} ${print}` };
}

/** Counter, sets, chain and their content; what was in them before is replaced, the count goes on. */
export function contentCommands(ruleset: Ruleset, leaseSeconds: number): readonly object[] {
  const { name, elements, rules } = ruleset;
  return [
    { add: { counter: { ...OWN, name } } },
    { add: { chain: { ...OWN, name } } },
    { flush: { chain: { ...OWN, name } } },
    ...rules.map((expr) => ({ add: { rule: { ...OWN, chain: name, expr } } })),
    ...([4, 6] as const)
      .filter((family) => elements[family].length > 0)
      .flatMap((family) => setCommands(name, family, elements[family], leaseSeconds)),
  ];
}

export const jumpCommand = ({ name, comment }: Ruleset, family: IpFamily): object => ({
  add: {
    rule: {
      ...OWN,
      chain: HOOK_CHAIN,
      comment,
      expr: [match(destination(family), `@${setName(name, family)}`), { jump: { target: name } }],
    },
  },
});

export const deleteRule = (chain: string, handle: number): object => ({
  delete: { rule: { ...OWN, chain, handle } },
});

export const deleteObject = (kind: 'chain' | 'set' | 'counter', name: string): object => ({
  delete: { [kind]: { ...OWN, name } },
});

function setCommands(
  name: string,
  family: IpFamily,
  elements: readonly string[],
  leaseSeconds: number,
): readonly object[] {
  const set = { ...OWN, name: setName(name, family) };
  const type = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  return [
    { add: { set: { ...set, type, flags: ['interval', 'timeout'] } } },
    { flush: { set } },
    {
      add: {
        element: {
          ...set,
          elem: elements.map((text) => ({ elem: { val: range(text), timeout: leaseSeconds } })),
        },
      },
    },
  ];
}

function expressionOf(rule: Rule, counter: string, config: NftablesConfig): readonly object[] {
  const family = rule.destination.includes(':') ? 6 : 4;
  const expression = [match(destination(family), range(rule.destination))];
  if (rule.fragments === 'later') expression.push(laterFragment(family));
  if (rule.protocols.length > 0)
    expression.push(match({ meta: { key: 'l4proto' } }, { set: rule.protocols }));
  if (rule.destinationPorts.length > 0) expression.push(match(port('dport'), portSet(rule.destinationPorts)));
  if (rule.sourcePorts.length > 0) expression.push(match(port('sport'), portSet(rule.sourcePorts)));
  if (rule.action === 'divert') throw new Error('nftables diverts nothing');
  if (rule.action === 'limit') expression.push({ limit: rateOf(config) });
  return [...expression, { counter }, { drop: null }];
}

const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });

const destination = (family: IpFamily): object => ({
  payload: { protocol: family === 4 ? 'ip' : 'ip6', field: 'daddr' },
});

const port = (field: 'sport' | 'dport'): object => ({ payload: { protocol: 'th', field } });

/** The offset is the low 13 bits (RFC 791 §3.1), or a field of the extension header (RFC 8200 §4.5). */
const laterFragment = (family: IpFamily): object =>
  family === 4
    ? match({ '&': [{ payload: { protocol: 'ip', field: 'frag-off' } }, 0x1fff] }, 0, '!=')
    : match({ exthdr: { name: 'frag', field: 'frag-off' } }, 0, '!=');

/** Overlapping ranges are merged: a set refuses them. */
function portSet(ports: readonly Ports[]): object {
  const merged: Ports[] = [];
  for (const next of [...ports].sort((left, right) => left.lower - right.lower)) {
    const last = merged.at(-1);
    if (last !== undefined && next.lower <= last.upper + 1)
      merged[merged.length - 1] = { lower: last.lower, upper: Math.max(last.upper, next.upper) };
    else merged.push(next);
  }
  return { set: merged.map(({ lower, upper }) => (lower === upper ? lower : { range: [lower, upper] })) };
}

function range(text: string): object {
  const [addr, length] = text.split('/');
  return { prefix: { addr, len: Number(length) } };
}

function parsed(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`a plan holds what is not a prefix: ${text}`);
  return prefix;
}
