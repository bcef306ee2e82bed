/** The names of a server certificate as DER (RFC 5280 §4.2.1.6): DNS-ID, SRV-ID (RFC 4985) and IP addresses, no wildcard. */
import { concatBytes, utf8Encode } from '#core/base/bytes.ts';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';

export const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** id-on-dnsSRV, 1.3.6.1.5.5.7.8.7 (RFC 4985 §2). */
export const DNS_SRV_OID = Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x07);

/** SRV-ID service of the signal channel : the service name DOTS discovery uses (RFC 8973 §5). */
export const SIGNAL_SERVICE = '_dots-signal';

const TAG = {
  oid: 0x06,
  ia5String: 0x16,
  sequence: 0x30,
  otherName: 0xa0,
  explicit0: 0xa0,
  dnsName: 0x82,
  ipAddress: 0x87,
} as const;

export interface ServerNames {
  readonly dnsNames: readonly string[];
  /** IPv4 or IPv6 literals. */
  readonly addresses: readonly string[];
  /** Full SRV-IDs, e.g. `_dots-signal.example.net`. */
  readonly serviceNames: readonly string[];
}

/** The value of the extension. Throws on a name no server may present: a wildcard, not ASCII, or no address. */
export function encodeSubjectAlternativeName(names: ServerNames): Uint8Array {
  return tlv(
    TAG.sequence,
    ...names.dnsNames.map((name) => tlv(TAG.dnsName, hostName(name))),
    ...names.serviceNames.map((name) =>
      tlv(TAG.otherName, tlv(TAG.oid, DNS_SRV_OID), tlv(TAG.explicit0, tlv(TAG.ia5String, hostName(name)))),
    ),
    ...names.addresses.map((address) => tlv(TAG.ipAddress, ipBytes(address))),
  );
}

/** RFC 9132 §7.1: "the wildcard character '*' SHOULD NOT be included in the presented identifier". */
function hostName(name: string): Uint8Array {
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/.test(name))
    throw new Error(`Not a host name for a certificate: ${name}`);
  return utf8Encode(name);
}

function ipBytes(address: string): Uint8Array {
  const prefix = parseIpPrefix(address);
  if (prefix === undefined || address.includes('/')) throw new Error(`Not an IP address: ${address}`);
  const bytes = new Uint8Array(prefix.family === 4 ? 4 : 16);
  let rest = prefix.address;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return concatBytes([Uint8Array.from(header), content]);
}
