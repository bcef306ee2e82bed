/** Uri-Path of the signal channel (RFC 9132 §4.2, §4.4.1.1, §4.5, §4.7): one option per segment. */
import { fail, ok, type Result } from '../base/result.ts';
import { METHOD } from '../coap/code.ts';
import type { CoapOption } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { makeTextOption } from '../coap/options.ts';
import {
  type Cdid,
  type Cuid,
  type Mid,
  parseCdid,
  parseCuid,
  parseMid,
  parseSid,
  type Sid,
} from '../model/identifiers.ts';
import type { ProtocolError } from './protocol-error.ts';

interface MitigationPath {
  readonly cuid: Cuid;
  readonly mid: Mid;
  readonly cdid?: Cdid;
}

/** What a request is about, with everything its method needs. */
export type SignalRoute =
  | ({ readonly resource: 'mitigate'; readonly method: 'put' } & MitigationPath)
  | ({ readonly resource: 'mitigate'; readonly method: 'delete' } & MitigationPath)
  | {
      readonly resource: 'mitigate';
      readonly method: 'get';
      readonly cuid: Cuid;
      /** Absent: all of the client's. */
      readonly mid?: Mid;
      readonly cdid?: Cdid;
    }
  | { readonly resource: 'config'; readonly method: 'put'; readonly sid: Sid }
  | { readonly resource: 'config'; readonly method: 'get' | 'delete'; readonly sid?: Sid }
  | { readonly resource: 'hb'; readonly method: 'put' };

type Resource = SignalRoute['resource'];
type Method = SignalRoute['method'];

const PREFIX = ['.well-known', 'dots'] as const;
const METHODS: Readonly<Record<Resource, readonly Method[]>> = {
  mitigate: ['get', 'put', 'delete'],
  config: ['get', 'put', 'delete'],
  hb: ['put'],
};
/** In the order they must have: cdid before cuid before mid. */
const PARAMETERS: Readonly<Record<Resource, readonly string[]>> = {
  mitigate: ['cdid', 'cuid', 'mid'],
  config: ['sid'],
  hb: [],
};
const SECTION: Readonly<Record<Resource, string>> = {
  mitigate: 'RFC 9132 §4.4.1.1',
  config: 'RFC 9132 §4.5.2',
  hb: 'RFC 9132 §4.7',
};

export interface PathTrust {
  /** The peer is a gateway trusted to supply cdid; from all others cdid is ignored, wherever it stands (S-107). */
  readonly trustsCdid: boolean;
}

/**
 * Reads the Uri-Path segments of a request with the CoAP method `code`. Errors: 4.04 outside of the three resources,
 * 4.05 for a method that the resource has not, 4.00 for parameters that are foreign, empty, repeated, misplaced,
 * malformed or missing (D24).
 */
export function parseSignalPath(
  segments: readonly string[],
  code: number,
  trust: PathTrust = { trustsCdid: false },
): Result<SignalRoute, ProtocolError> {
  const [first, second, resource, ...rest] = segments;
  if (first !== PREFIX[0] || second !== PREFIX[1] || !isResource(resource)) {
    return fail({ code: 'not-found', what: 'this path' });
  }
  const method = METHODS[resource].find((candidate) => METHOD[candidate] === code);
  if (method === undefined) {
    return fail({ code: 'method-not-allowed', allowed: METHODS[resource].join(', ').toUpperCase() });
  }
  const considered = trust.trustsCdid ? rest : rest.filter((segment) => !segment.startsWith('cdid='));
  const parameters = readParameters(considered, resource);
  if (!parameters.ok) return fail(parameters.error);
  return makeRoute(resource, method, parameters.value);
}

/** The path of a client's request: never with cdid (S-106). */
export const mitigatePath = (cuid: Cuid, mid?: Mid): readonly CoapOption[] =>
  pathOptions('mitigate', mid === undefined ? [`cuid=${cuid}`] : [`cuid=${cuid}`, `mid=${mid}`]);

export const configPath = (sid?: Sid): readonly CoapOption[] =>
  pathOptions('config', sid === undefined ? [] : [`sid=${sid}`]);

export const heartbeatPath = (): readonly CoapOption[] => pathOptions('hb', []);

const pathOptions = (resource: Resource, parameters: readonly string[]): readonly CoapOption[] =>
  [...PREFIX, resource, ...parameters].map((segment) => makeTextOption(OPTION.uriPath, segment));

const isResource = (text: string | undefined): text is Resource =>
  text !== undefined && Object.hasOwn(METHODS, text);

const refuse = (resource: Resource, field: string, why: string): Result<never, ProtocolError> =>
  fail({ code: 'invalid', field, why, section: SECTION[resource] });

function readParameters(
  segments: readonly string[],
  resource: Resource,
): Result<ReadonlyMap<string, string>, ProtocolError> {
  const order = PARAMETERS[resource];
  const values = new Map<string, string>();
  let last = -1;
  for (const segment of segments) {
    const equals = segment.indexOf('=');
    const name = segment.slice(0, Math.max(equals, 0));
    const position = order.indexOf(name);
    if (position < 0)
      return refuse(resource, 'Uri-Path', `a parameter other than ${order.join(', ') || 'none'}`);
    if (values.has(name)) return refuse(resource, name, 'stands twice');
    if (position < last) return refuse(resource, name, `out of order, which is ${order.join(', ')}`);
    if (equals === segment.length - 1) return refuse(resource, name, 'empty');
    values.set(name, segment.slice(equals + 1));
    last = position;
  }
  return ok(values);
}

function makeRoute(
  resource: Resource,
  method: Method,
  values: ReadonlyMap<string, string>,
): Result<SignalRoute, ProtocolError> {
  switch (resource) {
    case 'mitigate':
      return makeMitigateRoute(method, values);
    case 'config':
      return makeConfigRoute(method, values);
    case 'hb':
      return ok({ resource, method: 'put' });
  }
}

function makeMitigateRoute(
  method: Method,
  values: ReadonlyMap<string, string>,
): Result<SignalRoute, ProtocolError> {
  const resource = 'mitigate';
  const cuid = parsed(values.get('cuid'), parseCuid);
  const cdid = parsed(values.get('cdid'), parseCdid);
  const mid = parsed(values.get('mid'), parseMid);
  if (cuid === null) return refuse(resource, 'cuid', 'longer than 128 characters or not printable');
  if (cdid === null) return refuse(resource, 'cdid', 'longer than 128 characters or not printable');
  if (mid === null) return refuse(resource, 'mid', 'not a decimal number up to 4294967295');
  if (cuid === undefined) return refuse(resource, 'cuid', 'missing');
  const gateway = cdid === undefined ? {} : { cdid };
  if (method === 'get')
    return ok({ resource, method, cuid, ...gateway, ...(mid === undefined ? {} : { mid }) });
  if (mid === undefined) return refuse(resource, 'mid', 'missing');
  return ok({ resource, method, cuid, mid, ...gateway });
}

function makeConfigRoute(
  method: Method,
  values: ReadonlyMap<string, string>,
): Result<SignalRoute, ProtocolError> {
  const resource = 'config';
  const sid = parsed(values.get('sid'), parseSid);
  if (sid === null) return refuse(resource, 'sid', 'not a decimal number up to 4294967295');
  if (method !== 'put') return ok({ resource, method, ...(sid === undefined ? {} : { sid }) });
  return sid === undefined ? refuse(resource, 'sid', 'missing') : ok({ resource, method, sid });
}

/** Undefined when absent, null when malformed. */
const parsed = <T>(text: string | undefined, parse: (text: string) => T | undefined): T | null | undefined =>
  text === undefined ? undefined : (parse(text) ?? null);
