/** PUT hb in both directions (RFC 9132 §4.7): made once, so that a heartbeat costs no allocation of ours. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Request } from '#core/coap/message.ts';
import { contentFormatOption } from '#core/signal/content-format.ts';
import { encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { heartbeatPath } from '#core/signal/uri-path.ts';
import { emptyResponse } from './reply.ts';

/** Figure 28: 2.04 with an empty body. */
export const HEARTBEAT_ANSWER = emptyResponse(RESPONSE.changed);

const heartbeat = (peerHbStatus: boolean): Request => ({
  code: METHOD.put,
  options: [...heartbeatPath(), contentFormatOption()],
  payload: encodeHeartbeat({ peerHbStatus }),
  confirmable: false,
});

const RECEIVING = heartbeat(true);
const NOT_RECEIVING = heartbeat(false);

export const heartbeatRequest = (peerHbStatus: boolean): Request =>
  peerHbStatus ? RECEIVING : NOT_RECEIVING;
