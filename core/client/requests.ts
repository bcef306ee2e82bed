/** The requests of a DOTS client (RFC 9132 §4.4, §4.5, §4.7; decision D1: configuration is Confirmable, the rest is not). */
import { EMPTY } from '../base/bytes.ts';
import { METHOD } from '../coap/code.ts';
import type { CoapOption, Request } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { makeTextOption, makeUintOption, sortOptions } from '../coap/options.ts';
import type { Cuid, Mid, Sid } from '../model/identifiers.ts';
import type { ContentFilter, MitigationRequestBody, SignalConfigBody } from '../signal/bodies.ts';
import { encodeConfig } from '../signal/config-codec.ts';
import { formatContentFilter } from '../signal/content-filter.ts';
import { contentFormatOption } from '../signal/content-format.ts';
import { encodeHeartbeat } from '../signal/heartbeat-codec.ts';
import { encodeMitigationRequest } from '../signal/mitigation-codec.ts';
import { configPath, heartbeatPath, mitigatePath } from '../signal/uri-path.ts';

/**
 * Asks for a mitigation, refreshes it, or reports efficacy: that last one, known by its attack-status, is conditional on
 * the mitigation's existence by an empty If-Match (§4.4.3).
 */
export function putMitigation(cuid: Cuid, mid: Mid, body: MitigationRequestBody): Request {
  const condition = body.attackStatus === undefined ? [] : [{ number: OPTION.ifMatch, value: EMPTY }];
  return {
    code: METHOD.put,
    options: sortOptions([...condition, ...mitigatePath(cuid, mid), contentFormatOption()]),
    payload: encodeMitigationRequest(body),
    confirmable: false,
  };
}

export const deleteMitigation = (cuid: Cuid, mid: Mid): Request =>
  withoutBody(METHOD.delete, mitigatePath(cuid, mid), false);

export interface GetMitigations {
  /** Absent: all of the client's. */
  readonly mid?: Mid;
  readonly filter?: ContentFilter;
  /** 0 registers for notifications, 1 ends them (RFC 7641 §2). */
  readonly observe?: 0 | 1;
}

export function getMitigations(cuid: Cuid, { mid, filter, observe }: GetMitigations = {}): Request {
  const options = [...mitigatePath(cuid, mid)];
  if (observe !== undefined) options.push(makeUintOption(OPTION.observe, observe));
  if (filter !== undefined) options.push(makeTextOption(OPTION.uriQuery, formatContentFilter(filter)));
  return withoutBody(METHOD.get, options, false);
}

export const getConfig = (sid?: Sid): Request => withoutBody(METHOD.get, configPath(sid), true);

export const putConfig = (sid: Sid, body: SignalConfigBody): Request => ({
  code: METHOD.put,
  options: sortOptions([...configPath(sid), contentFormatOption()]),
  payload: encodeConfig(body),
  confirmable: true,
});

export const deleteConfig = (sid?: Sid): Request => withoutBody(METHOD.delete, configPath(sid), true);

export const putHeartbeat = (peerHbStatus: boolean): Request => ({
  code: METHOD.put,
  options: sortOptions([...heartbeatPath(), contentFormatOption()]),
  payload: encodeHeartbeat({ peerHbStatus }),
  confirmable: false,
});

const withoutBody = (code: number, options: readonly CoapOption[], confirmable: boolean): Request => ({
  code,
  options: sortOptions(options),
  payload: EMPTY,
  confirmable,
});
