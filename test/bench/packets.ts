/** The small requests of the load: encoded by the codec once, then only message id and token change. */

import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption } from '#core/coap/options.ts';
import { encodeUdp, TYPE } from '#core/coap/udp-message.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { encodeMitigationRequest } from '#core/signal/mitigation-codec.ts';

const TOKEN_BYTES = 4;

function template(
  code: number,
  path: readonly string[],
  contentFormat: number | undefined,
  payload: Uint8Array,
): Uint8Array {
  return encodeUdp(TYPE.nonConfirmable, 0, {
    code,
    token: new Uint8Array(TOKEN_BYTES),
    options: [
      ...path.map((segment) => makeTextOption(OPTION.uriPath, segment)),
      ...(contentFormat === undefined ? [] : [makeUintOption(OPTION.contentFormat, contentFormat)]),
    ],
    payload,
  });
}

const HEARTBEAT = template(
  METHOD.put,
  ['.well-known', 'dots', 'hb'],
  271,
  encodeHeartbeat({ peerHbStatus: true }),
);
const LIBCOAP_GET = template(METHOD.get, ['time'], undefined, new Uint8Array(0));

function numbered(packet: Uint8Array, sequence: number): Uint8Array {
  const view = new DataView(packet.buffer, packet.byteOffset);
  view.setUint16(2, sequence & 0xffff);
  view.setUint32(4, sequence);
  return packet;
}

/** PUT hb (RFC 9132 §4.7). The returned buffer is used again by the next call. */
export const heartbeat = (sequence: number): Uint8Array => numbered(HEARTBEAT, sequence);

/** GET /time, which libcoap's example server answers in text. */
export const libcoapGet = (sequence: number): Uint8Array => numbered(LIBCOAP_GET, sequence);

/** PUT mitigate of one prefix for an hour, under a mid that is also its message id. */
export function putMitigation(mid: number, prefix: string): Uint8Array {
  const path = ['.well-known', 'dots', 'mitigate', 'cuid=bench-client-0000000000', `mid=${mid}`];
  const body = encodeMitigationRequest({
    scope: { ...EMPTY_SCOPE, targetPrefixes: [prefix] },
    lifetimeSeconds: 3600,
    triggerMitigation: true,
  });
  return numbered(template(METHOD.put, path, 271, body), mid);
}

/** A response of class 2 to a request of ours, not the peer's own request. */
export const matchesAnswer = (bytes: Uint8Array): boolean => (bytes[1] ?? 0) >> 5 === 2;
