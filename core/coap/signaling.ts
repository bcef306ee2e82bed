/** Signaling messages of CoAP over TCP (RFC 8323 §5): what the connection itself says. */
import { EMPTY, utf8Encode } from '../base/bytes.ts';
import type { CoapOption, Message } from './message.ts';
import { isCritical } from './option-number.ts';
import { makeUintOption, uintOption } from './options.ts';

export const SIGNAL = { csm: 0xe1, ping: 0xe2, pong: 0xe3, release: 0xe4, abort: 0xe5 } as const;

/** Option numbers mean something per signaling code (RFC 8323 §5.2). */
export const CSM_OPTION = { maxMessageSize: 2, blockWiseTransfer: 4 } as const;
export const CUSTODY = 2;
const BAD_CSM_OPTION = 2;

/** RFC 8323 §5.3.1: what a peer takes that has not said otherwise, in bytes. */
export const BASE_MAX_MESSAGE_SIZE = 1152;

/** What this implementation understands, by code; none of it is critical. */
const KNOWN_OPTIONS: Readonly<Record<number, readonly number[]>> = {
  [SIGNAL.csm]: [CSM_OPTION.maxMessageSize, CSM_OPTION.blockWiseTransfer],
  [SIGNAL.ping]: [CUSTODY],
  [SIGNAL.pong]: [CUSTODY],
  // Alternative-Address and Hold-Off are hints (§5.5).
  [SIGNAL.release]: [2, 4],
  [SIGNAL.abort]: [BAD_CSM_OPTION],
};

/** RFC 8323 §5.2: a critical option that is not understood ends the connection; undefined when there is none. */
export function unknownCritical(message: Message): number | undefined {
  const known = KNOWN_OPTIONS[message.code] ?? [];
  return message.options.find(({ number }) => isCritical(number) && !known.includes(number))?.number;
}

export const makeCsm = (maxMessageSize: number): Message => ({
  code: SIGNAL.csm,
  token: EMPTY,
  options: [
    makeUintOption(CSM_OPTION.maxMessageSize, maxMessageSize),
    { number: CSM_OPTION.blockWiseTransfer, value: EMPTY },
  ],
  payload: EMPTY,
});

export const makePong = (ping: Message): Message => ({
  code: SIGNAL.pong,
  token: ping.token,
  options: ping.options.filter(({ number }) => number === CUSTODY).slice(0, 1),
  payload: EMPTY,
});

export const makeRelease = (): Message => ({
  code: SIGNAL.release,
  token: EMPTY,
  options: [],
  payload: EMPTY,
});

/** `badCsmOption` names the option of a CSM that was not understood (RFC 8323 §5.6). */
export const makeAbort = (diagnostic: string, badCsmOption?: number): Message => ({
  code: SIGNAL.abort,
  token: EMPTY,
  options: badCsmOption === undefined ? [] : [makeUintOption(BAD_CSM_OPTION, badCsmOption)],
  payload: utf8Encode(diagnostic),
});

/** The peer's settings after a further CSM: they accumulate (RFC 8323 §5.3). */
export const maxMessageSizeAfter = (options: readonly CoapOption[], before: number): number =>
  uintOption(options, CSM_OPTION.maxMessageSize) ?? before;
