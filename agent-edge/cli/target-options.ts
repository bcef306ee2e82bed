/** The targets of `tocsin mitigate`, from options to a scope (RFC 9132 §4.4.1.1). */
import { type Command, InvalidArgumentError } from 'commander';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { MitigationScope, PortRange } from '#core/model/scope.ts';

export interface TargetOptions {
  readonly targetPrefix?: readonly string[];
  readonly targetPort?: readonly PortRange[];
  readonly targetProtocol?: readonly number[];
  readonly targetFqdn?: readonly string[];
  readonly targetUri?: readonly string[];
  readonly alias?: readonly string[];
}

export function withTargetOptions(command: Command): Command {
  return command
    .optionsGroup('Targets (each may be repeated; at least one prefix, name, URI or alias):')
    .option('--target-prefix <prefix>', 'address or prefix under attack', repeated(parsePrefix))
    .option('--target-fqdn <name>', 'domain name under attack', repeated(asIs))
    .option('--target-uri <uri>', 'URI under attack', repeated(asIs))
    .option('--alias <name>', 'alias made over the data channel', repeated(asIs))
    .option('--target-port <port|range>', '80, or 8000-8100', repeated(parsePortRange))
    .option('--target-protocol <name|number>', 'tcp, udp, icmp, …, or 0-255', repeated(parseProtocol));
}

export const scopeOf = (options: TargetOptions): MitigationScope => ({
  targetPrefixes: options.targetPrefix ?? [],
  targetPortRanges: options.targetPort ?? [],
  targetProtocols: options.targetProtocol ?? [],
  targetFqdns: options.targetFqdn ?? [],
  targetUris: options.targetUri ?? [],
  aliasNames: options.alias ?? [],
});

export const hasTarget = (scope: MitigationScope): boolean =>
  scope.targetPrefixes.length + scope.targetFqdns.length + scope.targetUris.length + scope.aliasNames.length >
  0;

const PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
} as const;

const repeated =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[] = []): readonly T[] => [...before, parse(text)];

function asIs(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** A bare address is the prefix of that one address. */
function parsePrefix(text: string): string {
  if (parseIpPrefix(text) === undefined) {
    throw new InvalidArgumentError('It wants an address or a prefix, e.g. 192.0.2.0/24 or 2001:db8::1.');
  }
  return text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
}

function parsePortRange(text: string): PortRange {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  const lowerPort = Number(match?.[1]);
  const upperPort = match?.[2] === undefined ? undefined : Number(match[2]);
  if (
    match === null ||
    lowerPort > 65535 ||
    (upperPort ?? 0) > 65535 ||
    (upperPort ?? lowerPort) < lowerPort
  ) {
    throw new InvalidArgumentError(
      'It wants a port or an ascending range up to 65535, e.g. 80 or 8000-8100.',
    );
  }
  return upperPort === undefined ? { lowerPort } : { lowerPort, upperPort };
}

function parseProtocol(text: string): number {
  const name = text.toLowerCase();
  if (Object.hasOwn(PROTOCOLS, name)) return PROTOCOLS[name as keyof typeof PROTOCOLS];
  const number = /^[0-9]{1,3}$/.test(text) ? Number(text) : 256;
  if (number > 255) {
    throw new InvalidArgumentError(`It wants 0 to 255 or one of ${Object.keys(PROTOCOLS).join(', ')}.`);
  }
  return number;
}

/** `6` as `tcp`, an unknown number as itself. */
export const protocolName = (number: number): string =>
  Object.entries(PROTOCOLS).find(([, value]) => value === number)?.[0] ?? number.toString();
