/**
 * Request to typed operation (RFC 9132 §4.2, §4.4, §4.5, §4.7): path, method, options and body, in this order of
 * refusal. Nothing is decided here, and nothing but the request is looked at.
 */
import { fail, ok, type Result } from '../base/result.ts';
import type { Request } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { optionValues, textOptions } from '../coap/options.ts';
import type { Cdid, Cuid, Mid, Sid } from '../model/identifiers.ts';
import type {
  ContentFilter,
  HeartbeatBody,
  MitigationRequestBody,
  SignalConfigBody,
} from '../signal/bodies.ts';
import { decodeConfigRequest } from '../signal/config-codec.ts';
import { parseContentFilter } from '../signal/content-filter.ts';
import { checkFormats } from '../signal/content-format.ts';
import { decodeHeartbeat } from '../signal/heartbeat-codec.ts';
import { decodeMitigationRequest } from '../signal/mitigation-codec.ts';
import { invalid, type ProtocolError } from '../signal/protocol-error.ts';
import { type PathTrust, parseSignalPath, type SignalRoute } from '../signal/uri-path.ts';

/** The client a request speaks for; `cdid` only from a gateway that is trusted to supply it (S-107). */
export interface ClientPath {
  readonly cuid: Cuid;
  readonly cdid?: Cdid;
}

export interface PutMitigate extends ClientPath {
  readonly type: 'put-mitigate';
  readonly mid: Mid;
  readonly body: MitigationRequestBody;
  /** Conditional on existence (§4.4.3). */
  readonly ifMatch: boolean;
}

export interface GetMitigate extends ClientPath {
  readonly type: 'get-mitigate';
  /** Absent: all of the client's. */
  readonly mid?: Mid;
  readonly filter: ContentFilter;
}

export interface DeleteMitigate extends ClientPath {
  readonly type: 'delete-mitigate';
  readonly mid: Mid;
}

export type ConfigOperation =
  | { readonly type: 'put-config'; readonly sid: Sid; readonly body: SignalConfigBody }
  | { readonly type: 'get-config'; readonly sid?: Sid }
  | { readonly type: 'delete-config'; readonly sid?: Sid };

export interface PutHeartbeat extends HeartbeatBody {
  readonly type: 'put-heartbeat';
}

export type Operation = PutMitigate | GetMitigate | DeleteMitigate | ConfigOperation | PutHeartbeat;

export function route(request: Request, trust: PathTrust): Result<Operation, ProtocolError> {
  const segments = textOptions(request.options, OPTION.uriPath);
  const queries = textOptions(request.options, OPTION.uriQuery);
  if (segments === undefined || queries === undefined)
    return fail({ code: 'bad-option', why: 'Uri-Path or Uri-Query is not UTF-8 (RFC 7252 §3.2)' });
  const path = parseSignalPath(segments, request.code, trust);
  if (!path.ok) return path;
  const refused = checkFormats(request.options) ?? checkConditions(request);
  return refused === undefined ? readOperation(path.value, request, queries) : fail(refused);
}

function readOperation(
  path: SignalRoute,
  request: Request,
  queries: readonly string[],
): Result<Operation, ProtocolError> {
  switch (path.resource) {
    case 'mitigate': {
      const client = clientOf(path);
      if (path.method === 'put') return readPutMitigate({ ...client, mid: path.mid }, request);
      if (path.method === 'delete') return ok({ type: 'delete-mitigate', ...client, mid: path.mid });
      const mid = path.mid === undefined ? {} : { mid: path.mid };
      return ok({ type: 'get-mitigate', ...client, ...mid, filter: parseContentFilter(queries) });
    }
    case 'config': {
      if (path.method === 'put') {
        const body = decodeConfigRequest(request.payload);
        return body.ok
          ? ok({ type: 'put-config', sid: path.sid, body: body.value })
          : fail(invalid(body.error));
      }
      return ok({
        type: path.method === 'get' ? 'get-config' : 'delete-config',
        ...(path.sid === undefined ? {} : { sid: path.sid }),
      });
    }
    case 'hb': {
      const body = decodeHeartbeat(request.payload);
      return body.ok ? ok({ type: 'put-heartbeat', ...body.value }) : fail(invalid(body.error));
    }
  }
}

const clientOf = ({ cuid, cdid }: ClientPath): ClientPath => (cdid === undefined ? { cuid } : { cuid, cdid });

function readPutMitigate(
  path: ClientPath & { readonly mid: Mid },
  request: Request,
): Result<PutMitigate, ProtocolError> {
  const body = decodeMitigationRequest(request.payload);
  if (!body.ok) return fail(invalid(body.error));
  const ifMatch = optionValues(request.options, OPTION.ifMatch).length > 0;
  if (ifMatch && body.value.attackStatus === undefined)
    return fail({
      code: 'invalid',
      field: 'attack-status',
      why: 'missing in an efficacy update',
      section: 'RFC 9132 §4.4.3',
    });
  return ok({ type: 'put-mitigate', ...path, body: body.value, ifMatch });
}

/**
 * RFC 9132 §4.4.3 uses If-Match with an empty value on PUT mitigate, and nothing else of RFC 7252 §5.10.8: what would
 * have to be met and is not looked at must not pass for met.
 */
function checkConditions(request: Request): ProtocolError | undefined {
  const valued = optionValues(request.options, OPTION.ifMatch).some((value) => value.length > 0);
  if (valued) return { code: 'bad-option', why: 'If-Match has to be empty (RFC 9132 §4.4.3)' };
  if (optionValues(request.options, OPTION.ifNoneMatch).length > 0)
    return { code: 'bad-option', why: 'If-None-Match has no meaning here (RFC 9132 §4.4)' };
  return undefined;
}
