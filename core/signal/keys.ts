/** CBOR keys of the signal channel (RFC 9132 §6, Table 5; §10.6.1), by YANG name. */

export const KEY = {
  'mitigation-scope': 1,
  scope: 2,
  cdid: 3,
  cuid: 4,
  mid: 5,
  'target-prefix': 6,
  'target-port-range': 7,
  'lower-port': 8,
  'upper-port': 9,
  'target-protocol': 10,
  'target-fqdn': 11,
  'target-uri': 12,
  'alias-name': 13,
  lifetime: 14,
  'mitigation-start': 15,
  status: 16,
  'conflict-information': 17,
  'conflict-status': 18,
  'conflict-cause': 19,
  'retry-timer': 20,
  'conflict-scope': 21,
  'acl-list': 22,
  'acl-name': 23,
  'acl-type': 24,
  'bytes-dropped': 25,
  'bps-dropped': 26,
  'pkts-dropped': 27,
  'pps-dropped': 28,
  'attack-status': 29,
  'signal-config': 30,
  sid: 31,
  'mitigating-config': 32,
  'heartbeat-interval': 33,
  'max-value': 34,
  'min-value': 35,
  'current-value': 36,
  'missing-hb-allowed': 37,
  'max-retransmit': 38,
  'ack-timeout': 39,
  'ack-random-factor': 40,
  'max-value-decimal': 41,
  'min-value-decimal': 42,
  'current-value-decimal': 43,
  'idle-config': 44,
  'trigger-mitigation': 45,
  'redirected-signal': 46,
  'alt-server': 47,
  'alt-server-record': 48,
  heartbeat: 49,
  'probing-rate': 50,
  'peer-hb-status': 51,
} as const;

export type KeyName = keyof typeof KEY;

const NAME_BY_KEY = new Map<number, KeyName>(
  (Object.keys(KEY) as KeyName[]).map((name) => [KEY[name], name]),
);

export const keyName = (key: number): KeyName | undefined => NAME_BY_KEY.get(key);

/** §10.6.1: keys are integers from 1 to 65535. */
export const isKey = (key: unknown): key is number =>
  typeof key === 'number' && Number.isInteger(key) && key >= 1 && key <= 65535;

/**
 * §6: "DOTS agents can safely ignore comprehension-optional values they don't understand": 128 to 255 and 16384 on. With
 * the others "they cannot successfully process a request".
 */
export const isComprehensionOptional = (key: number): boolean =>
  (key >= 128 && key <= 255) || (key >= 16384 && key <= 65535);
