/**
 * Errors as CoAP responses (RFC 9132 §9, §3): a diagnostic in plain UTF-8 without Content-Format, except 4.09, whose
 * body is CBOR (D7). Diagnostics name field and section and repeat nothing but what the same request said.
 */
import { utf8Encode } from '../base/bytes.ts';
import { RESPONSE } from '../coap/code.ts';
import type { Response } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { makeUintOption } from '../coap/options.ts';
import type { RedirectBody } from './bodies.ts';
import { contentFormatOption, DOTS_CBOR } from './content-format.ts';
import { encodeMitigationAnswer } from './mitigation-codec.ts';
import type { SignalError } from './protocol-error.ts';
import { encodeRedirect } from './redirect-codec.ts';

export function errorResponse(error: SignalError): Response {
  switch (error.code) {
    case 'invalid':
      return diagnostic(RESPONSE.badRequest, `${error.field}: ${error.why} (${error.section})`);
    case 'not-owned':
      return diagnostic(RESPONSE.badRequest, `${shown(error.target)} is not yours (RFC 9132 §4.4.1.3)`);
    case 'unknown-alias':
      return diagnostic(
        RESPONSE.badRequest,
        `alias-name: ${shown(error.alias)} is unknown (RFC 9132 §4.4.1.1)`,
      );
    case 'unresolvable':
      return diagnostic(
        RESPONSE.badRequest,
        `${shown(error.name)} does not resolve to an address that is yours (RFC 9132 §4.4.1.1)`,
      );
    case 'changed-parameters':
      return diagnostic(
        RESPONSE.badRequest,
        `${error.field}: changed under the same mid, use a new one (RFC 9132 §4.4.1.3)`,
      );
    case 'unknown-mid':
      return diagnostic(
        RESPONSE.badRequest,
        'mid: attack-status for a mitigation that does not exist (RFC 9132 §4.4.3)',
      );
    case 'unauthorized':
      return diagnostic(RESPONSE.unauthorized, error.why);
    case 'bad-option':
      return diagnostic(RESPONSE.badOption, error.why);
    case 'not-found':
      return diagnostic(RESPONSE.notFound, `${error.what} not found`);
    case 'method-not-allowed':
      return diagnostic(RESPONSE.methodNotAllowed, `allowed here: ${error.allowed} (RFC 9132 §4)`);
    case 'not-acceptable':
      return diagnostic(
        RESPONSE.notAcceptable,
        `answers are Content-Format ${DOTS_CBOR}, not ${error.format} (RFC 9132 §10.4)`,
      );
    case 'conflict':
      return {
        code: RESPONSE.conflict,
        options: [contentFormatOption()],
        payload: encodeMitigationAnswer(error),
      };
    case 'unsupported-content-format':
      return diagnostic(
        RESPONSE.unsupportedContentFormat,
        `bodies are Content-Format ${DOTS_CBOR}, not ${error.format} (RFC 9132 §10.4)`,
      );
    case 'unprocessable':
      return diagnostic(RESPONSE.unprocessableEntity, `${error.field}: ${error.why} (${error.section})`);
    case 'limit':
      return diagnostic(RESPONSE.tooManyRequests, error.why, error.retryAfterSeconds);
    case 'unavailable':
      return diagnostic(RESPONSE.serviceUnavailable, error.why, error.retryAfterSeconds);
  }
}

/** §4.6: Max-Age is how long the alternate server may be used. */
export const redirectResponse = (body: RedirectBody, maxAgeSeconds: number): Response => ({
  code: RESPONSE.serviceUnavailable,
  options: [contentFormatOption(), makeUintOption(OPTION.maxAge, maxAgeSeconds)],
  payload: encodeRedirect(body),
});

const diagnostic = (code: number, text: string, maxAgeSeconds?: number): Response => ({
  code,
  options: maxAgeSeconds === undefined ? [] : [makeUintOption(OPTION.maxAge, Math.ceil(maxAgeSeconds))],
  payload: utf8Encode(text),
});

const LONGEST_SHOWN = 64;

/** The peer's own words, short and on one line. */
const shown = (text: string): string =>
  text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
