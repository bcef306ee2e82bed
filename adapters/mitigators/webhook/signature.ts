/** Who asks, and when: `t=<unix>,v1=<hex HMAC-SHA256(secret, t.body)>`, one v1 per secret while one is replaced. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EpochSeconds } from '#core/base/time.ts';

/** A receiver refuses signatures further than this from its own clock. */
const MOST_SKEW_SECONDS = 300;

export function sign(secrets: readonly string[], body: string, at: EpochSeconds): string {
  return [`t=${at}`, ...secrets.map((secret) => `v1=${hmac(secret, at, body).toString('hex')}`)].join(',');
}

/** For receivers: what our own tests and adapters check by. */
export function verify(header: string, secret: string, body: string, now: EpochSeconds): boolean {
  const fields = header.split(',').map((field) => field.split('='));
  const at = Number(fields.find(([name]) => name === 't')?.[1]);
  if (!Number.isInteger(at) || Math.abs(now - at) > MOST_SKEW_SECONDS) return false;
  const expected = hmac(secret, at, body);
  return fields
    .filter(([name]) => name === 'v1')
    .map(([, value = '']) => Buffer.from(value, 'hex'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

function hmac(secret: string, at: EpochSeconds, body: string): Buffer {
  return createHmac('sha256', secret).update(`${at}.${body}`).digest();
}
