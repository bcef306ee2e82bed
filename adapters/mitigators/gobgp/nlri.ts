/** What a path is about: a prefix (RTBH) or a flow (RFC 8955, RFC 8956), as GoBGP's messages and as a text to compare by. */
import { formatIpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Ports, Rule } from '#core/plan/rules.ts';
import { type Any, packAny, unpackAny } from './schema.ts';

export interface Family {
  readonly afi: 1 | 2;
  readonly safi: 1 | 133;
}

const IPV4_UNICAST: Family = { afi: 1, safi: 1 };
const IPV6_UNICAST: Family = { afi: 2, safi: 1 };
const IPV4_FLOWSPEC: Family = { afi: 1, safi: 133 };
const IPV6_FLOWSPEC: Family = { afi: 2, safi: 133 };

/** Every family this driver announces in. */
export const FAMILIES: readonly Family[] = [IPV4_UNICAST, IPV6_UNICAST, IPV4_FLOWSPEC, IPV6_FLOWSPEC];

export interface Nlri {
  readonly family: Family;
  readonly message: Any;
  /** Equal for equal NLRI, however GoBGP writes them. */
  readonly text: string;
}

/** A route to the prefix itself. */
export function unicastNlri(destination: string): Nlri {
  const { prefix, length, isIpv6 } = split(destination);
  const family = isIpv6 ? IPV6_UNICAST : IPV4_UNICAST;
  const message = packAny('IPAddressPrefix', { prefix_len: length, prefix });
  return { family, message, text: unicastText({ prefix_len: length, prefix }) };
}

/** Component types of RFC 8955 §4.2.2; RFC 8956 §3 keeps the numbers. */
const DESTINATION_PREFIX = 1;
const IP_PROTOCOL = 3;
const DESTINATION_PORT = 5;
const SOURCE_PORT = 6;
const FRAGMENT = 12;

/** Numeric operator (RFC 8955 §4.2.1.1). */
const END_OF_LIST = 0x80;
const AND = 0x40;
const LENGTH_BITS = 0x30;
const LESS = 0x04;
const GREATER = 0x02;
const EQUAL = 0x01;

/** Bitmask of component 12: a fragment other than the first. */
const IS_FRAGMENT = 0x02;

interface Item {
  readonly op: number;
  readonly value: number | string;
}

interface Component {
  readonly type: number;
  readonly items: readonly Item[];
}

export function flowSpecNlri(rule: Rule): Nlri {
  const { prefix, length, isIpv6 } = split(rule.destination);
  const destination = { type: DESTINATION_PREFIX, prefix_len: length, prefix };
  const components: Component[] = [
    { type: IP_PROTOCOL, items: rule.protocols.map((value) => ({ op: EQUAL, value })) },
    { type: DESTINATION_PORT, items: rule.destinationPorts.flatMap(portItems) },
    { type: SOURCE_PORT, items: rule.sourcePorts.flatMap(portItems) },
    { type: FRAGMENT, items: rule.fragments === 'later' ? [{ op: 0, value: IS_FRAGMENT }] : [] },
  ]
    .filter(({ items }) => items.length > 0)
    .map(({ type, items }) => ({ type, items: items.with(-1, closed(items.at(-1))) }));
  const message = packAny('FlowSpecNLRI', {
    rules: [
      packAny('FlowSpecIPPrefix', destination),
      ...components.map((component) => packAny('FlowSpecComponent', component)),
    ],
  });
  return {
    family: isIpv6 ? IPV6_FLOWSPEC : IPV4_FLOWSPEC,
    message,
    text: [unicastText(destination), ...components.map(componentText)].join(' '),
  };
}

/** Undefined for what this driver never announces. */
export function readNlri(family: Family, message: Any): Nlri | undefined {
  const route = unpackAny('IPAddressPrefix', message);
  if (route !== undefined) return { family, message, text: unicastText(route as PrefixFields) };
  const flow = unpackAny('FlowSpecNLRI', message) as { readonly rules: readonly Any[] } | undefined;
  if (flow === undefined) return undefined;
  const texts = flow.rules.map((rule) => {
    const prefix = unpackAny('FlowSpecIPPrefix', rule) as (PrefixFields & { type: number }) | undefined;
    if (prefix?.type === DESTINATION_PREFIX) return unicastText(prefix);
    const component = unpackAny('FlowSpecComponent', rule);
    return component === undefined ? rule.type_url : componentText(component as Component);
  });
  return { family, message, text: texts.join(' ') };
}

interface PrefixFields {
  readonly prefix: string;
  readonly prefix_len: number;
}

/** GoBGP may write an address in another way than we do. */
function unicastText({ prefix, prefix_len }: PrefixFields): string {
  const text = `${prefix}/${prefix_len}`;
  const parsed = parseIpPrefix(text);
  return parsed === undefined ? text : formatIpPrefix(parsed);
}

/** GoBGP writes the value's length into the operator: it says nothing about what is matched. */
const componentText = ({ type, items }: Component): string =>
  `${type}:${items.map(({ op, value }) => `${op & ~LENGTH_BITS}=${value}`).join(',')}`;

function portItems({ lower, upper }: Ports): readonly Item[] {
  if (lower === upper) return [{ op: EQUAL, value: lower }];
  return [
    { op: GREATER | EQUAL, value: lower },
    { op: AND | LESS | EQUAL, value: upper },
  ];
}

function closed(item: Item | undefined): Item {
  if (item === undefined) throw new Error('a component without items');
  return { ...item, op: item.op | END_OF_LIST };
}

function split(text: string): { prefix: string; length: number; isIpv6: boolean } {
  const [prefix = '', length] = text.split('/');
  return { prefix, length: Number(length), isIpv6: prefix.includes(':') };
}
