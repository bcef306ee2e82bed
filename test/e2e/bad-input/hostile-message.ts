/** One hostile CoAP message as a peer would put it into its session, and the answer it must get. */
import { utf8Encode } from '#core/base/bytes.ts';
import type { CborValue } from '#core/cbor/cbor-value.ts';
import { encodeCbor } from '#core/cbor/codec.ts';
import { METHOD } from '#core/coap/code.ts';
import type { CoapOption } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption, sortOptions } from '#core/coap/options.ts';
import { encodeUdp, TYPE } from '#core/coap/udp-message.ts';

export type Expected = 'silence' | 'reset' | `${number}.${number}`;

export interface HostileMessage {
  readonly title: string;
  readonly expected: Expected;
  /** What the diagnostic has to name, where there is one. */
  readonly names?: string;
  /** The datagram, with the message id and, where the format has one, the token given. */
  datagram(messageId: number, token: Uint8Array): Uint8Array;
}

export const CUID = 'hostile-client-0000000';
const DOTS_CBOR = 271;

export interface RequestParts {
  readonly method?: number;
  readonly path?: readonly (string | Uint8Array)[];
  readonly payload?: Uint8Array;
  readonly contentFormat?: number;
  readonly options?: readonly CoapOption[];
  readonly confirmable?: boolean;
}

/** PUT to one's own mid, Content-Format 271, unless said otherwise. */
export function request(
  title: string,
  expected: Expected,
  parts: RequestParts,
  names?: string,
): HostileMessage {
  const {
    method = METHOD.put,
    payload = new Uint8Array(0),
    path = ownPath(),
    contentFormat = DOTS_CBOR,
  } = parts;
  const segments = path.map((segment) => (typeof segment === 'string' ? utf8Encode(segment) : segment));
  const options = sortOptions([
    ...segments.map((value) => ({ number: OPTION.uriPath, value })),
    ...(payload.length === 0 ? [] : [makeUintOption(OPTION.contentFormat, contentFormat)]),
    ...(parts.options ?? []),
  ]);
  const type = parts.confirmable === true ? TYPE.confirmable : TYPE.nonConfirmable;
  return {
    title,
    expected,
    ...(names === undefined ? {} : { names }),
    datagram: (messageId, token) => encodeUdp(type, messageId, { code: method, token, options, payload }),
  };
}

export const ownPath = (...parameters: readonly string[]): string[] => [
  '.well-known',
  'dots',
  'mitigate',
  ...(parameters.length === 0 ? [`cuid=${CUID}`, 'mid=66'] : parameters),
];

/** A body that is refused: `why` says what is wrong with it. */
export const body = (why: string, payload: Uint8Array, names?: string): HostileMessage =>
  request(`body: ${why}`, '4.00', { payload }, names);

type Entries = readonly (readonly [number, CborValue])[];

export const map = (...entries: Entries): ReadonlyMap<number, CborValue> => new Map(entries);

/** A request that would be accepted, with these attributes of its scope put in place of the good ones. */
export const scope = (...changes: Entries): Uint8Array =>
  encodeCbor(
    map([1, map([2, [new Map<number, CborValue>([[6, ['192.0.2.66/32']], [14, 3600], ...changes])]])]),
  );

/** The same with nothing in it that was not given. */
export const bareScope = (...entries: Entries): Uint8Array =>
  encodeCbor(map([1, map([2, [map(...entries)]])]));

export const textOption = makeTextOption;
export const uintOption = makeUintOption;

export const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
