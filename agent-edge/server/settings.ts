/** What the operator of a signal-channel server chooses: limits are policy, not protocol. */
import type { RateLimit } from '#core/server/rate-limit.ts';
import { type ConfigBounds, DEFAULT_BOUNDS } from '#core/session/config-bounds.ts';

export interface ServerSettings {
  /** What PUT config may ask for. */
  readonly bounds: ConfigBounds;
  /** Of all sessions of one identity together; absent: no limit. Peers on loopback are exempt. */
  readonly rateLimit?: RateLimit;
  /** Sessions of one identity at once: one more closes the oldest. Absent: no limit. */
  readonly maxSessionsPerIdentity?: number;
  /** Validity of a configuration answer in seconds: Max-Age (RFC 9132 §4.5.3), 1 to 2^32-1, which stands for ever. */
  readonly configMaxAgeSeconds: number;
  /** Always heartbeat right after the client's own; otherwise only while the client says it receives none. */
  readonly followHeartbeats: boolean;
  /** Largest request body, in bytes, after reassembly. */
  readonly maxBody: number;
  /** A Confirmable request without an answer by then gets its empty ACK, in milliseconds. */
  readonly separateAfterMs: number;
}

/** Throws a RangeError for what cannot work: a mistake of the operator's, told before anything listens. */
export function checkSettings({ configMaxAgeSeconds }: ServerSettings): void {
  // RFC 9132 §4.5.3: "It is NOT RECOMMENDED to return a Max-Age Option set to 0."
  const isPossible = Number.isInteger(configMaxAgeSeconds) && configMaxAgeSeconds > 0;
  if (!isPossible || configMaxAgeSeconds > 0xffff_ffff)
    throw new RangeError(`configMaxAgeSeconds is 1 to 4294967295, not ${configMaxAgeSeconds}`);
}

export const DEFAULT_SETTINGS: ServerSettings = {
  bounds: DEFAULT_BOUNDS,
  configMaxAgeSeconds: 86_400,
  followHeartbeats: false,
  maxBody: 65_536,
  separateAfterMs: 500,
};
