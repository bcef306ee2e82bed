/** PUT, GET and DELETE config (RFC 9132 §4.5). */
import { RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, sortOptions } from '#core/coap/options.ts';
import type { Sid } from '#core/model/identifiers.ts';
import type { ConfigOperation } from '#core/server/router.ts';
import type { ConfigBounds } from '#core/session/config-bounds.ts';
import {
  describeConfiguration,
  type InstalledConfiguration,
  type NegotiationError,
  negotiate,
} from '#core/session/negotiate.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import type { ProtocolError } from '#core/signal/protocol-error.ts';
import type { Configurations } from './configurations.ts';
import type { Peer } from './peer.ts';
import { content, emptyResponse } from './reply.ts';

export interface ConfigPolicy {
  readonly bounds: ConfigBounds;
  readonly configMaxAgeSeconds: number;
}

export interface ConfigChange {
  readonly response: Response;
  readonly changed: boolean;
}

type PutConfig = Extract<ConfigOperation, { type: 'put-config' }>;
type DeleteConfig = Extract<ConfigOperation, { type: 'delete-config' }>;

export function putConfig(
  { sid, body }: PutConfig,
  peer: Peer,
  configurations: Configurations,
  { bounds }: ConfigPolicy,
): Promise<ConfigChange> {
  return configurations.change<ConfigChange>(peer.identityId, (installed) => {
    const negotiated = negotiate(installed, sid, body, bounds);
    if (!negotiated.ok)
      return { result: { response: errorResponse(errorOf(negotiated.error)), changed: false } };
    const { created, configuration } = negotiated.value;
    return {
      result: { response: emptyResponse(created ? RESPONSE.created : RESPONSE.changed), changed: true },
      install: { configuration: { sid, configuration } },
    };
  });
}

/** Without sid, or with the installed one, everything is at its default again; another sid changes nothing (D25). */
export function deleteConfig(
  { sid }: DeleteConfig,
  peer: Peer,
  configurations: Configurations,
): Promise<ConfigChange> {
  return configurations.change<ConfigChange>(peer.identityId, (installed) => {
    const changed = installed !== undefined && (sid === undefined || sid === installed.sid);
    return {
      result: { response: emptyResponse(RESPONSE.deleted), changed },
      ...(changed ? { install: { configuration: undefined } } : {}),
    };
  });
}

/** Also what an observer of the configuration is sent: 4.04 once the sid it asked for is not installed any more. */
export function configResponse(
  sid: Sid | undefined,
  installed: InstalledConfiguration | undefined,
  transport: 'udp' | 'tcp',
  { bounds, configMaxAgeSeconds }: ConfigPolicy,
): Response {
  if (sid !== undefined && sid !== installed?.sid)
    return errorResponse({ code: 'not-found', what: `sid ${sid}` });
  const shown = content(encodeConfig(describeConfiguration(installed, bounds, transport)));
  const maxAge = makeUintOption(OPTION.maxAge, configMaxAgeSeconds);
  return { ...shown, options: sortOptions([...shown.options, maxAge]) };
}

const SECTION = 'RFC 9132 §4.5.2';

function errorOf(error: NegotiationError): ProtocolError {
  switch (error.code) {
    case 'lower-sid':
      return {
        code: 'invalid',
        field: 'sid',
        why: `lower than ${error.installed}, which is installed`,
        section: SECTION,
      };
    case 'unacceptable':
      return {
        code: 'unprocessable',
        field: `${error.set}-config ${WIRE_NAME[error.parameter]}`,
        why: `acceptable is ${error.min} to ${error.max}`,
        section: SECTION,
      };
  }
}

const WIRE_NAME = {
  heartbeatInterval: 'heartbeat-interval',
  missingHbAllowed: 'missing-hb-allowed',
  probingRate: 'probing-rate',
  maxRetransmit: 'max-retransmit',
  ackTimeout: 'ack-timeout',
  ackRandomFactor: 'ack-random-factor',
} as const;
