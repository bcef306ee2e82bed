import { utf8Decode } from '#core/base/bytes.ts';
import { formatCode } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, uintOption } from '#core/coap/options.ts';
import type { Refusal } from '#core/ports/mitigation-request.ts';
import { checkFormats, DOTS_CBOR } from '#core/signal/content-format.ts';
import { errorResponse, redirectResponse } from '#core/signal/error-response.ts';
import { decodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';
import type { ProtocolError, SignalError } from '#core/signal/protocol-error.ts';

const at = { field: 'lifetime', why: 'zero', section: 'RFC 9132 §4.4.1.1' };
const REFUSALS: readonly [Refusal, string, number | undefined][] = [
  [{ code: 'invalid', ...at }, '4.00', undefined],
  [{ code: 'not-owned', target: '203.0.113.0/24' }, '4.00', undefined],
  [{ code: 'unknown-alias', alias: 'web' }, '4.00', undefined],
  [{ code: 'unresolvable', name: 'a.example' }, '4.00', undefined],
  [{ code: 'changed-parameters', field: 'target-prefix' }, '4.00', undefined],
  [{ code: 'unknown-mid' }, '4.00', undefined],
  [{ code: 'unauthorized', why: 'no such client' }, '4.01', undefined],
  [{ code: 'limit', why: 'too many requests', retryAfterSeconds: 2.2 }, '4.29', 3],
  [{ code: 'unavailable', why: 'at capacity', retryAfterSeconds: 60 }, '5.03', 60],
];
const PROTOCOL_ERRORS: readonly [ProtocolError, string, number | undefined][] = [
  [{ code: 'bad-option', why: 'Uri-Path is not UTF-8' }, '4.02', undefined],
  [{ code: 'not-found', what: 'mid 12' }, '4.04', undefined],
  [{ code: 'method-not-allowed', allowed: 'PUT' }, '4.05', undefined],
  [{ code: 'not-acceptable', format: 50 }, '4.06', undefined],
  [{ code: 'unsupported-content-format', format: 60 }, '4.15', undefined],
  [{ code: 'unprocessable', ...at }, '4.22', undefined],
];

test.each<[SignalError, string, number | undefined]>([...REFUSALS, ...PROTOCOL_ERRORS])(
  '%j is %s with a diagnostic and no Content-Format',
  (error, code, maxAge) => {
    const response = errorResponse(error);
    expect(formatCode(response.code)).toBe(code);
    expect(utf8Decode(response.payload)).toMatch(/\S/);
    expect(uintOption(response.options, OPTION.contentFormat)).toBeUndefined();
    expect(uintOption(response.options, OPTION.maxAge)).toBe(maxAge);
  },
);

test('4.09 has a body of Content-Format 271 and nothing else', () => {
  const conflict = { cause: 'overlappingTargets', status: 'inactive', scope: { mid: 11 as never } } as const;
  const response = errorResponse({ code: 'conflict', conflict });
  expect(formatCode(response.code)).toBe('4.09');
  expect(response.options).toEqual([{ number: OPTION.contentFormat, value: Uint8Array.of(0x01, 0x0f) }]);
  expect(decodeMitigationAnswer(response.payload)).toEqual({ ok: true, value: { conflict } });
});

test('a redirect is a 5.03 with a body and its time to live', () => {
  const response = redirectResponse({ altServer: 'b.example', altServerRecords: ['192.0.2.1'] }, 300);
  expect(formatCode(response.code)).toBe('5.03');
  expect(uintOption(response.options, OPTION.maxAge)).toBe(300);
  expect(uintOption(response.options, OPTION.contentFormat)).toBe(DOTS_CBOR);
});

test('a long word of the peer is cut short', () => {
  const response = errorResponse({ code: 'unknown-alias', alias: 'x'.repeat(5_000) });
  expect(response.payload.length).toBeLessThan(200);
});

test.each<[number | undefined, number | undefined, string | undefined]>([
  [undefined, undefined, undefined],
  [271, 271, undefined],
  [60, undefined, 'unsupported-content-format'],
  [0, undefined, 'unsupported-content-format'],
  [271, 50, 'not-acceptable'],
])('Content-Format %p and Accept %p: %p', (format, accept, code) => {
  const options = [
    ...(format === undefined ? [] : [makeUintOption(OPTION.contentFormat, format)]),
    ...(accept === undefined ? [] : [makeUintOption(OPTION.accept, accept)]),
  ];
  expect(checkFormats(options)?.code).toBe(code);
});
