/** What both ends assume when their options say nothing. */

/** RFC 9132 §7.3: "MUST assume a PMTU of 1280 bytes"; less the headers of IPv6 and UDP. */
export const DEFAULT_MTU = 1232;

export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 30_000;
