import { utf8Encode } from '#core/base/bytes.ts';
import { mitigationOutcome, statusOutcome } from '#core/client/outcome.ts';
import { RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { contentFormatOption } from '#core/signal/content-format.ts';
import { errorResponse, redirectResponse } from '#core/signal/error-response.ts';
import { encodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';

const dots = (code: number, payload: Uint8Array): Response => ({
  code,
  options: [contentFormatOption()],
  payload,
});

test('2.01 with what was granted', () => {
  const payload = encodeMitigationAnswer({ mid: 1 as Mid, lifetimeSeconds: 600 });
  expect(mitigationOutcome(dots(RESPONSE.created, payload))).toEqual({
    type: 'done',
    code: '2.01',
    value: { mid: 1, lifetimeSeconds: 600 },
  });
});

test('4.09 with its conflict', () => {
  const conflict = { cause: 'overlappingTargets', status: 'inactive', retryTimerSeconds: 60 } as const;
  expect(mitigationOutcome(errorResponse({ code: 'conflict', conflict }))).toEqual({
    type: 'conflict',
    code: '4.09',
    conflict,
  });
});

test('S-300 a 5.03 with an alternate is a redirect, one without is a refusal', () => {
  const redirect = { altServer: 'b.example', altServerRecords: ['192.0.2.1'] };
  expect(mitigationOutcome(redirectResponse(redirect, 300))).toEqual({
    type: 'redirected',
    code: '5.03',
    redirect,
    ttlSeconds: 300,
  });
  const without: Response = {
    code: RESPONSE.serviceUnavailable,
    options: [contentFormatOption(), makeUintOption(OPTION.maxAge, 9)],
    payload: Uint8Array.of(0xa1, 0x18, 0x2e, 0xa0),
  };
  expect(mitigationOutcome(without)).toEqual({
    type: 'refused',
    code: '5.03',
    diagnostic: '',
    retryAfterSeconds: 9,
  });
});

test('a refusal in the server’s words, and when to come back', () => {
  expect(
    statusOutcome({ code: RESPONSE.notFound, options: [], payload: utf8Encode('mid 9 not found') }),
  ).toEqual({
    type: 'refused',
    code: '4.04',
    diagnostic: 'mid 9 not found',
  });
  expect(
    mitigationOutcome(errorResponse({ code: 'limit', why: 'slower', retryAfterSeconds: 5 })),
  ).toMatchObject({
    type: 'refused',
    code: '4.29',
    retryAfterSeconds: 5,
  });
});

test('what cannot be read is said to be so', () => {
  expect(mitigationOutcome(dots(RESPONSE.created, Uint8Array.of(0xff)))).toMatchObject({
    type: 'unreadable',
    code: '2.01',
  });
  expect(mitigationOutcome(dots(RESPONSE.conflict, Uint8Array.of(0xff)))).toMatchObject({
    type: 'unreadable',
  });
  expect(statusOutcome({ code: RESPONSE.notFound, options: [], payload: Uint8Array.of(0xff) })).toMatchObject(
    { diagnostic: '' },
  );
});
