/** The syntax of FQDN and URI targets (RFC 9132 §4.4.1.1): what they mean is decided where they are resolved. */

const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const LONGEST_NAME = 253;

/** `inet:domain-name` (RFC 6991 §4) with at least one label; a last label of digits only would be an address. */
export function isDomainName(text: string): boolean {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  if (text.length > LONGEST_NAME || !labels.every((label) => LABEL.test(label))) return false;
  return !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

export interface TargetUri {
  /** Lower case. */
  readonly scheme: string;
  /** A name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  readonly port?: number;
}

const URI =
  /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:[^/?#@[\]]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]]+)(?::([0-9]*))?([/?#].*)?$/;
/** Unreserved, reserved and percent-encoded characters (RFC 3986 §2). */
const URI_CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const PORT_MAX = 65535;

/** A URI with an authority (RFC 3986 §3): without a host it names no target. Undefined for anything else. */
export function parseTargetUri(text: string): TargetUri | undefined {
  const match = URI_CHARACTERS.test(text) ? URI.exec(text) : null;
  if (match === null) return undefined;
  const [, scheme = '', bracketed = '', portText] = match;
  const host = bracketed.startsWith('[') ? bracketed.slice(1, -1) : bracketed;
  const port = portText === undefined || portText === '' ? undefined : Number(portText);
  if (port !== undefined && port > PORT_MAX) return undefined;
  return { scheme: scheme.toLowerCase(), host, ...(port === undefined ? {} : { port }) };
}
