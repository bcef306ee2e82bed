/**
 * What a target-uri names (RFC 9132 §4.4.1.1): "the IP addresses to which the host subcomponent of authority component
 * of a URI resolves represent the 'target-prefix', the URI scheme represents the 'target-protocol', and the port
 * subcomponent of authority component of a URI represents the 'target-port-range'".
 */
import type { IpPrefix } from '../model/ip-prefix.ts';
import { formatIpPrefix, parseIpPrefix } from '../model/ip-prefix.ts';
import { normalizeName } from './domain-name.ts';

export interface TargetUri {
  readonly host:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'address'; readonly prefix: IpPrefix };
  /** Empty when the scheme does not tell: any protocol. */
  readonly protocols: readonly number[];
  /** Absent when neither the authority nor the scheme tells: any port. */
  readonly port?: number;
  /** Two URIs that are equal by RFC 3986 §6.2.2.1 and §6.2.3 have the same text. */
  readonly normalized: string;
}

const TCP = 6;
const UDP = 17;

/** Transport and default port by scheme, as registered. */
const SCHEMES: ReadonlyMap<string, { readonly protocol: number; readonly port: number }> = new Map([
  ['http', { protocol: TCP, port: 80 }],
  ['https', { protocol: TCP, port: 443 }],
  ['ws', { protocol: TCP, port: 80 }],
  ['wss', { protocol: TCP, port: 443 }],
  ['ftp', { protocol: TCP, port: 21 }],
  ['ssh', { protocol: TCP, port: 22 }],
  ['ldap', { protocol: TCP, port: 389 }],
  ['ldaps', { protocol: TCP, port: 636 }],
  ['coap', { protocol: UDP, port: 5683 }],
  ['coaps', { protocol: UDP, port: 5684 }],
  ['coap+tcp', { protocol: TCP, port: 5683 }],
  ['coaps+tcp', { protocol: TCP, port: 5684 }],
]);

/** Text that equal URIs share; a URI that cannot be read stands for itself. */
export function normalizeUri(text: string): string {
  return parseTargetUri(text)?.normalized ?? text;
}

/** Undefined when the text has no scheme, no authority, or a host or port that cannot be. */
export function parseTargetUri(text: string): TargetUri | undefined {
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/.exec(text);
  if (parts === null) return undefined;
  const scheme = (parts[1] ?? '').toLowerCase();
  const authority = parts[2] ?? '';
  const rest = parts[3] ?? '';
  const location = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{0,5}))?$/.exec(
    authority.slice(authority.lastIndexOf('@') + 1),
  );
  if (location === null) return undefined;
  const host = parseHost(location[1] ?? '');
  if (host === undefined) return undefined;
  const known = SCHEMES.get(scheme);
  const port = location[2] === undefined || location[2] === '' ? known?.port : Number(location[2]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const hostText = host.kind === 'name' ? host.name : formatIpPrefix(host.prefix);
  return {
    host,
    protocols: known === undefined ? [] : [known.protocol],
    ...(port === undefined ? {} : { port }),
    normalized: `${scheme}://${hostText}:${port ?? ''}${rest === '' ? '/' : rest}`,
  };
}

function parseHost(text: string): TargetUri['host'] | undefined {
  if (text.startsWith('[')) {
    const prefix = parseIpPrefix(text.slice(1, -1));
    return prefix?.family === 6 ? { kind: 'address', prefix } : undefined;
  }
  const prefix = parseIpPrefix(text);
  if (prefix !== undefined) return { kind: 'address', prefix };
  const name = normalizeName(text);
  // An all-numeric last label is a malformed address, never a name (RFC 3986 §3.2.2, RFC 3696 §2).
  const isName = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name);
  return isName && name.length <= 253 && !/(^|\.)[0-9]+$/.test(name) ? { kind: 'name', name } : undefined;
}
