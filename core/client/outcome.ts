/** What a response means to the client that asked (RFC 9132 §4.4.1.3, §4.6, §9). */
import { utf8Decode } from '../base/bytes.ts';
import type { Result } from '../base/result.ts';
import { formatCode, RESPONSE } from '../coap/code.ts';
import type { Response } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { uintOption } from '../coap/options.ts';
import type { BodyError, RedirectBody, SignalConfigBody } from '../signal/bodies.ts';
import { decodeConfigAnswer } from '../signal/config-codec.ts';
import type { ReceivedConflict } from '../signal/conflict-codec.ts';
import { DOTS_CBOR } from '../signal/content-format.ts';
import { decodeMitigationAnswer, type ReceivedAnswer } from '../signal/mitigation-codec.ts';
import { decodeMitigationStatus, type ReceivedStatusEntry } from '../signal/mitigation-status-codec.ts';
import { decodeRedirect } from '../signal/redirect-codec.ts';
import { DEFAULT_MAX_AGE } from './freshness.ts';

export type Outcome<T> =
  | { readonly type: 'done'; readonly code: string; readonly value: T }
  /** 4.09. */
  | { readonly type: 'conflict'; readonly code: string; readonly conflict: ReceivedConflict }
  /** 5.03 with an alternate server, to be used for `ttlSeconds`. */
  | {
      readonly type: 'redirected';
      readonly code: string;
      readonly redirect: RedirectBody;
      readonly ttlSeconds: number;
    }
  | {
      readonly type: 'refused';
      readonly code: string;
      /** The server's words; empty when it had none. */
      readonly diagnostic: string;
      readonly retryAfterSeconds?: number;
    }
  /** The answer itself cannot be understood. */
  | { readonly type: 'unreadable'; readonly code: string; readonly error: BodyError };

export const mitigationOutcome = (response: Response): Outcome<ReceivedAnswer> =>
  outcomeOf(response, decodeMitigationAnswer);

export const statusOutcome = (response: Response): Outcome<readonly ReceivedStatusEntry[]> =>
  outcomeOf(response, decodeMitigationStatus);

export const configOutcome = (response: Response): Outcome<SignalConfigBody> =>
  outcomeOf(response, decodeConfigAnswer);

/** For 2.02 and 2.04 without a body. */
export const plainOutcome = (response: Response): Outcome<undefined> =>
  outcomeOf(response, () => ({ ok: true, value: undefined }));

function outcomeOf<T>(response: Response, decode: (payload: Uint8Array) => Result<T, BodyError>): Outcome<T> {
  const code = formatCode(response.code);
  if (response.code >> 5 !== 2) return failureOf(response, code);
  const decoded = decode(response.payload);
  return decoded.ok
    ? { type: 'done', code, value: decoded.value }
    : { type: 'unreadable', code, error: decoded.error };
}

function failureOf(response: Response, code: string): Outcome<never> {
  const maxAge = uintOption(response.options, OPTION.maxAge);
  const hasBody = uintOption(response.options, OPTION.contentFormat) === DOTS_CBOR;
  if (response.code === RESPONSE.conflict && hasBody) {
    const answer = decodeMitigationAnswer(response.payload);
    if (!answer.ok) return { type: 'unreadable', code, error: answer.error };
    return { type: 'conflict', code, conflict: answer.value.conflict ?? {} };
  }
  if (response.code === RESPONSE.serviceUnavailable && hasBody) {
    // §4.6: without a readable alternate it is a plain 5.03 (S-300).
    const redirect = decodeRedirect(response.payload);
    if (redirect.ok) {
      return { type: 'redirected', code, redirect: redirect.value, ttlSeconds: maxAge ?? DEFAULT_MAX_AGE };
    }
  }
  const diagnostic = hasBody ? '' : (utf8Decode(response.payload) ?? '');
  // RFC 7252 §5.9.3.4: Max-Age is when to try again, and without the option it is there by its default.
  const isUnavailable = response.code === RESPONSE.serviceUnavailable;
  const retryAfterSeconds = maxAge ?? (isUnavailable ? DEFAULT_MAX_AGE : undefined);
  return {
    type: 'refused',
    code,
    diagnostic,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}
