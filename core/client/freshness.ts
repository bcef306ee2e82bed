/** How long an answer or a notification is current (RFC 7252 §5.6.1, RFC 7641 §3.3.1). */
import type { CoapOption } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { uintOption } from '../coap/options.ts';

/** Max-Age when there is no such option (RFC 7252 §5.10.5), in seconds. */
export const DEFAULT_MAX_AGE = 60;

/** RFC 7641 §3.3.1: "it SHOULD wait for a random amount of time between 5 and 15 seconds after Max-Age expires". */
const SHORTEST_WAIT_MS = 5_000;
/** The pace may hold it back for three more seconds (RFC 9132 §4.4). */
const LONGEST_WAIT_MS = 12_000;

/** Milliseconds after a notification with these options at which its observation is renewed. `fraction` in [0, 1). */
export function renewAfterMs(options: readonly CoapOption[], fraction: number): number {
  const maxAge = uintOption(options, OPTION.maxAge) ?? DEFAULT_MAX_AGE;
  return maxAge * 1000 + SHORTEST_WAIT_MS + fraction * (LONGEST_WAIT_MS - SHORTEST_WAIT_MS);
}
