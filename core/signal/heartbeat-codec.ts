/** The body of PUT hb (RFC 9132 §4.7): `peer-hb-status` is mandatory. */
import type { Result } from '../base/result.ts';
import type { BodyError, HeartbeatBody } from './bodies.ts';
import { BodyReader } from './body-reader.ts';
import { encodeBody, mapOf } from './body-writer.ts';

export function decodeHeartbeat(bytes: Uint8Array): Result<HeartbeatBody, BodyError> {
  const reader = new BodyReader('RFC 9132 §4.7');
  const fields = reader.open(bytes, 'heartbeat', ['peer-hb-status']);
  const peerHbStatus = reader.boolean(fields, 'peer-hb-status');
  if (peerHbStatus === undefined) reader.refuse('peer-hb-status', 'missing');
  return reader.finish({ peerHbStatus: peerHbStatus === true });
}

export const encodeHeartbeat = (body: HeartbeatBody): Uint8Array =>
  encodeBody('heartbeat', mapOf([['peer-hb-status', body.peerHbStatus]]));
