/**
 * How many handshakes may begin: token buckets per prefix (/24, /56) and for all, asked once the cookie has proven the address.
 * A handshake costs a signature and some memory; a stranger gets them at a bounded rate (RFC 9132 §11, RFC 4732).
 */
import { formatIpPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';

export interface HandshakeRates {
  /** Of all peers together. */
  readonly perSecond: number;
  readonly burst: number;
  /** Of one prefix; loopback has none. */
  readonly perPrefixPerSecond: number;
  readonly perPrefixBurst: number;
}

export const DEFAULT_RATES: HandshakeRates = {
  perSecond: 1000,
  burst: 2000,
  perPrefixPerSecond: 50,
  perPrefixBurst: 100,
};

export type Admission = 'admitted' | 'prefix-limit' | 'global-limit';

interface Bucket {
  tokens: number;
  /** Monotonic milliseconds of the last refill. */
  at: number;
}

const PREFIX_LENGTH = { 4: 24, 6: 56 } as const;
/** Prefixes remembered; beyond, the one longest unused is forgotten. */
const MAX_PREFIXES = 16_384;

export class HandshakeLimits {
  readonly #rates: HandshakeRates;
  readonly #all: Bucket;
  readonly #prefixes = new Map<string, Bucket>();

  /** `now` in monotonic milliseconds, here and below. */
  constructor(rates: HandshakeRates, now: number) {
    this.#rates = rates;
    this.#all = { tokens: rates.burst, at: now };
  }

  /** Takes a token for one handshake from `address`, or says which limit is reached. */
  admit(address: string, now: number): Admission {
    const { perSecond, burst, perPrefixPerSecond, perPrefixBurst } = this.#rates;
    const own = isLoopback(address) ? undefined : this.#bucketOf(prefixOf(address), now);
    if (own !== undefined) refill(own, perPrefixPerSecond, perPrefixBurst, now);
    refill(this.#all, perSecond, burst, now);
    if (own !== undefined && own.tokens < 1) return 'prefix-limit';
    if (this.#all.tokens < 1) return 'global-limit';
    if (own !== undefined) own.tokens--;
    this.#all.tokens--;
    return 'admitted';
  }

  get prefixes(): number {
    return this.#prefixes.size;
  }

  /** Map order is order of use: a bucket that is asked for moves to the end. */
  #bucketOf(prefix: string, now: number): Bucket {
    const bucket = this.#prefixes.get(prefix) ?? { tokens: this.#rates.perPrefixBurst, at: now };
    this.#prefixes.delete(prefix);
    this.#prefixes.set(prefix, bucket);
    if (this.#prefixes.size > MAX_PREFIXES) {
      const [oldest] = this.#prefixes.keys();
      if (oldest !== undefined) this.#prefixes.delete(oldest);
    }
    return bucket;
  }
}

/** `192.0.2.0/24`, `2001:db8::/56`. */
export function prefixOf(address: string): string {
  const [literal = ''] = address.split('%');
  const parsed = parseIpPrefix(literal);
  if (parsed === undefined) throw new RangeError(`Not an IP address: ${address}`);
  const prefix = parseIpPrefix(`${literal}/${PREFIX_LENGTH[parsed.family]}`);
  return formatIpPrefix(prefix ?? parsed);
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function refill(bucket: Bucket, perSecond: number, burst: number, now: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
}
