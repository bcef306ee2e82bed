/** The names of a server certificate as DER (RFC 5280 §4.2.1.6): DNS-ID, SRV-ID (RFC 4985) and IP addresses, no wildcard. */
import { EMPTY, equalBytes, utf8Decode, utf8Encode } from '#core/base/bytes.ts';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';
import { DER_TAG, derContent, readDer, writeDer } from './der.ts';

export const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const SUBJECT_ALTERNATIVE_NAME_OID = Uint8Array.of(0x55, 0x1d, 0x11);

/** id-on-dnsSRV, 1.3.6.1.5.5.7.8.7 (RFC 4985 §2). */
const DNS_SRV_OID = Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x07);

/** SRV-ID service of the signal channel: the service name that DOTS discovery uses too (RFC 8973 §5). */
export const SIGNAL_SERVICE = '_dots-signal';

/** Kinds of GeneralName (RFC 5280 §4.2.1.6). */
const TAG = {
  otherName: DER_TAG.explicit(0),
  dnsName: DER_TAG.implicit(2),
  ipAddress: DER_TAG.implicit(7),
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
  return writeDer(
    DER_TAG.sequence,
    ...names.dnsNames.map((name) => writeDer(TAG.dnsName, hostName(name))),
    ...names.serviceNames.map((name) =>
      writeDer(
        TAG.otherName,
        writeDer(DER_TAG.oid, DNS_SRV_OID),
        writeDer(DER_TAG.explicit(0), writeDer(DER_TAG.ia5String, hostName(name))),
      ),
    ),
    ...names.addresses.map((address) => writeDer(TAG.ipAddress, ipBytes(address))),
  );
}

/**
 * Whether a certificate presents the SRV-ID of the signal channel at `name` (RFC 6125 §6.5.1). False when it cannot be read.
 */
export function presentsServiceName(certificate: Uint8Array, name: string): boolean {
  const wanted = `${SIGNAL_SERVICE}.${name}`.toLowerCase();
  return serviceNames(certificate).some((presented) => presented.toLowerCase() === wanted);
}

function serviceNames(certificate: Uint8Array): readonly string[] {
  const names = derContent(subjectAlternativeName(certificate), DER_TAG.sequence);
  return (names === undefined ? [] : (readDer(names) ?? [])).flatMap(({ tag, content }) => {
    if (tag !== TAG.otherName) return [];
    const [type, value] = readDer(content) ?? [];
    if (type === undefined || value?.tag !== DER_TAG.explicit(0) || !equalBytes(type.content, DNS_SRV_OID))
      return [];
    const text = derContent(value.content, DER_TAG.ia5String);
    return text === undefined ? [] : [utf8Decode(text) ?? ''];
  });
}

/** Certificate → TBSCertificate → [3] extensions → the value of ours (RFC 5280 §4.1). */
function subjectAlternativeName(certificate: Uint8Array): Uint8Array | undefined {
  const [body] = readDer(derContent(certificate, DER_TAG.sequence) ?? EMPTY) ?? [];
  const fields = readDer(body?.content ?? EMPTY) ?? [];
  const list = derContent(fields.find(({ tag }) => tag === DER_TAG.explicit(3))?.content, DER_TAG.sequence);
  for (const extension of readDer(list ?? EMPTY) ?? []) {
    const parts = readDer(extension.content) ?? [];
    const [type] = parts;
    if (type !== undefined && equalBytes(type.content, SUBJECT_ALTERNATIVE_NAME_OID))
      return parts.at(-1)?.content;
  }
  return undefined;
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
