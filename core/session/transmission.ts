/** Session parameters as the message layer takes them (RFC 9132 §4.5.2; RFC 7252 §4.8). */
import type { TransmissionParameters } from '../coap/endpoint-io.ts';
import { DEFAULT_PARAMETERS, type SessionParameters } from './parameters.ts';

export const toTransmission = (parameters: SessionParameters): TransmissionParameters => ({
  ackTimeoutMs: Math.round(parameters.ackTimeout * 1000),
  ackRandomFactor: parameters.ackRandomFactor,
  maxRetransmit: parameters.maxRetransmit,
  probingRate: parameters.probingRate,
});

/** Before anything is negotiated. */
export const DEFAULT_TRANSMISSION: TransmissionParameters = toTransmission(DEFAULT_PARAMETERS);
