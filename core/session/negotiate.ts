/** PUT and GET config decided (RFC 9132 §4.5.1, §4.5.2): pure, the caller keeps what was installed. */
import { fail, ok, type Result } from '../base/result.ts';
import type { Sid } from '../model/identifiers.ts';
import type { Bounded, ConfigSet, SignalConfigBody } from '../signal/bodies.ts';
import type { ConfigBounds } from './config-bounds.ts';
import {
  DEFAULT_CONFIGURATION,
  DEFAULT_PARAMETERS,
  type SessionConfiguration,
  type SessionParameters,
} from './parameters.ts';

export interface InstalledConfiguration {
  readonly sid: Sid;
  readonly configuration: SessionConfiguration;
}

export type NegotiationError =
  /** 4.00: "the lower numeric 'sid'" has been superseded (D4). */
  | { readonly code: 'lower-sid'; readonly installed: Sid }
  /** 4.22 */
  | {
      readonly code: 'unacceptable';
      readonly set: keyof SessionConfiguration;
      readonly parameter: ParameterName;
      readonly min: number;
      readonly max: number;
    };

export interface Negotiated extends InstalledConfiguration {
  /** 2.01 for a new sid, 2.04 for the installed one. */
  readonly created: boolean;
}

type ParameterName = keyof SessionParameters & keyof ConfigSet;

const PARAMETER_NAMES: readonly ParameterName[] = [
  'heartbeatInterval',
  'missingHbAllowed',
  'probingRate',
  'maxRetransmit',
  'ackTimeout',
  'ackRandomFactor',
];

/**
 * Each PUT replaces the whole configuration: what it omits is at its default again (D15), and nothing of it is applied
 * when one value is out of bounds (D21).
 */
export function negotiate(
  installed: InstalledConfiguration | undefined,
  sid: Sid,
  body: SignalConfigBody,
  bounds: ConfigBounds,
): Result<Negotiated, NegotiationError> {
  if (installed !== undefined && sid < installed.sid)
    return fail({ code: 'lower-sid', installed: installed.sid });
  for (const set of ['mitigating', 'idle'] as const) {
    for (const parameter of PARAMETER_NAMES) {
      const value = body[set]?.[parameter]?.current;
      if (value !== undefined && !isAcceptable(parameter, value, bounds))
        return fail({ code: 'unacceptable', set, parameter, ...bounds[parameter] });
    }
  }
  return ok({
    sid,
    created: sid !== installed?.sid,
    configuration: { mitigating: withDefaults(body.mitigating), idle: withDefaults(body.idle) },
  });
}

/**
 * The answer to GET config. Over a reliable transport only what applies there is told (D14): §4.5 negotiates
 * "the transmission-related parameters … only for DOTS over unreliable transports".
 */
export function describeConfiguration(
  installed: InstalledConfiguration | undefined,
  bounds: ConfigBounds,
  transport: 'udp' | 'tcp',
): SignalConfigBody {
  const { mitigating, idle } = installed?.configuration ?? DEFAULT_CONFIGURATION;
  const names = transport === 'udp' ? PARAMETER_NAMES : (['heartbeatInterval'] as const);
  const describe = (parameters: SessionParameters): ConfigSet =>
    Object.fromEntries(
      names.map((name): [ParameterName, Bounded] => [name, { ...bounds[name], current: parameters[name] }]),
    );
  return { mitigating: describe(mitigating), idle: describe(idle) };
}

/**
 * What is in force on a session: the negotiated values, or over a reliable transport the negotiated interval alone with
 * the defaults of everything else (D14).
 */
export function inForce(
  installed: InstalledConfiguration | undefined,
  transport: 'udp' | 'tcp',
): SessionConfiguration {
  const configuration = installed?.configuration ?? DEFAULT_CONFIGURATION;
  if (transport === 'udp') return configuration;
  const reliable = ({ heartbeatInterval }: SessionParameters): SessionParameters => ({
    ...DEFAULT_PARAMETERS,
    heartbeatInterval,
  });
  return { mitigating: reliable(configuration.mitigating), idle: reliable(configuration.idle) };
}

function isAcceptable(parameter: ParameterName, value: number, bounds: ConfigBounds): boolean {
  if (parameter === 'heartbeatInterval' && value === 0) return bounds.heartbeatMayBeDisabled;
  return value >= bounds[parameter].min && value <= bounds[parameter].max;
}

function withDefaults(set: ConfigSet | undefined): SessionParameters {
  const value = (name: ParameterName): number => set?.[name]?.current ?? DEFAULT_PARAMETERS[name];
  return {
    heartbeatInterval: value('heartbeatInterval'),
    missingHbAllowed: value('missingHbAllowed'),
    probingRate: value('probingRate'),
    maxRetransmit: value('maxRetransmit'),
    ackTimeout: value('ackTimeout'),
    ackRandomFactor: value('ackRandomFactor'),
  };
}
