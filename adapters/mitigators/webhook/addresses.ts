/** Which addresses a request may go to: a name that resolves into the provider's own network is an attack. */
import { containsPrefix, type IpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map(known);

/** IANA special-purpose registries (RFC 6890): private, shared, link-local, reserved, and what embeds IPv4 in IPv6. */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '::ffff:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
].map(known);

export const isLoopback = (address: string): boolean => isIn(LOOPBACK, address);

/** False also for what is no address at all. */
export const isPublic = (address: string): boolean =>
  parseIpPrefix(address) !== undefined && !isIn(NOT_PUBLIC, address);

/** Of a URL, brackets included. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || isLoopback(withoutBrackets(hostname));

export const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

function isIn(ranges: readonly IpPrefix[], address: string): boolean {
  const parsed = parseIpPrefix(address);
  return parsed !== undefined && ranges.some((range) => containsPrefix(range, parsed));
}

function known(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return prefix;
}
