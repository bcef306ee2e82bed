/** Times derived from the transmission parameters (RFC 7252 §4.8.2); never configured by themselves. */
import type { TransmissionParameters } from './endpoint-io.ts';

/** MAX_LATENCY: how long a datagram may be under way. */
const MAX_LATENCY_MS = 100_000;

/** RFC 7252 §4.8: what a peer of general CoAP uses; DOTS replaces them (RFC 9132 §4.5.2). */
export const COAP_DEFAULTS: TransmissionParameters = {
  ackTimeoutMs: 2000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  probingRate: 1,
};

export interface TransmissionTimes {
  /** From the first to the last transmission of a Confirmable message. */
  readonly maxTransmitSpanMs: number;
  /** From the first transmission until the sender gives up. */
  readonly maxTransmitWaitMs: number;
  /** From the first transmission of a Confirmable message until its message id may be used again. */
  readonly exchangeLifetimeMs: number;
  /** The same for a Non-confirmable message. */
  readonly nonLifetimeMs: number;
}

export function deriveTimes(parameters: TransmissionParameters): TransmissionTimes {
  const { ackTimeoutMs, ackRandomFactor, maxRetransmit } = parameters;
  const maxTransmitSpanMs = ackTimeoutMs * (2 ** maxRetransmit - 1) * ackRandomFactor;
  // PROCESSING_DELAY is ACK_TIMEOUT.
  const maxRttMs = 2 * MAX_LATENCY_MS + ackTimeoutMs;
  return {
    maxTransmitSpanMs,
    maxTransmitWaitMs: ackTimeoutMs * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor,
    exchangeLifetimeMs: maxTransmitSpanMs + maxRttMs,
    nonLifetimeMs: maxTransmitSpanMs + MAX_LATENCY_MS,
  };
}
