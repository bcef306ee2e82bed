/** IPv4 and IPv6 prefixes: parsed once, compared as numbers, printed in RFC 5952 form. */

export type IpFamily = 4 | 6;

/** A canonical prefix: bits beyond `length` are zero. */
export interface IpPrefix {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/**
 * Reads `192.0.2.1/24`, `2001:db8::/32` or a bare address; host bits are masked away (RFC 9132 §4.4.1.1, decision D23).
 * Undefined for anything else: leading zeros, missing length digits, lengths above 32 or 128, zone ids.
 */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const family: IpFamily = addressText.includes(':') ? 6 : 4;
  const address = family === 6 ? parseIpv6(addressText) : parseIpv4(addressText);
  if (address === undefined) return undefined;
  if (slash < 0) return { family, address, length: WIDTH[family] };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(lengthText) || Number(lengthText) > WIDTH[family]) return undefined;
  const length = Number(lengthText);
  return { family, address: mask(family, address, length), length };
}

/** `192.0.2.0/24`; always with the length, also for a single address. */
export function formatIpPrefix(prefix: IpPrefix): string {
  return `${formatIpAddress(prefix.family, prefix.address)}/${prefix.length}`;
}

export function formatIpAddress(family: IpFamily, address: bigint): string {
  return family === 4 ? formatIpv4(address) : formatIpv6(address);
}

/** True when every address of `inner` is in `outer`. */
export function containsPrefix(outer: IpPrefix, inner: IpPrefix): boolean {
  return (
    outer.family === inner.family &&
    outer.length <= inner.length &&
    mask(inner.family, inner.address, outer.length) === outer.address
  );
}

/** True when the two share an address. */
export function overlapsPrefix(left: IpPrefix, right: IpPrefix): boolean {
  return containsPrefix(left, right) || containsPrefix(right, left);
}

/** RFC 9132 §4.4.1.1: "The prefix MUST NOT include broadcast, loopback, or multicast addresses" (decision D23). */
export function isForbiddenTarget(prefix: IpPrefix): boolean {
  return FORBIDDEN_TARGETS.some((forbidden) => containsPrefix(forbidden, prefix));
}

const FORBIDDEN_TARGETS = [
  '127.0.0.0/8',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::1/128',
  'ff00::/8',
  '::ffff:127.0.0.0/104',
  '::ffff:224.0.0.0/100',
  '::ffff:255.255.255.255/128',
].map((text) => {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return prefix;
});

function mask(family: IpFamily, address: bigint, length: number): bigint {
  const hostBits = BigInt(WIDTH[family] - length);
  return (address >> hostBits) << hostBits;
}

function parseIpv4(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let address = 0n;
  for (const octet of octets) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    address = (address << 8n) | BigInt(octet);
  }
  return address;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n);
}

/** 16-bit groups of one side of `::`; a dotted quad may stand last where `endsAddress`. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = endsAddress && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      groups.push(Number(quad >> 16n), Number(quad & 0xffffn));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function formatIpv4(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => ((address >> shift) & 255n).toString()).join('.');
}

/** RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
function formatIpv6(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((address >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
