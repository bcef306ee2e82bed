/** How one request ends, and the answers that more than one resource gives. */
import { EMPTY } from '#core/base/bytes.ts';
import { RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import { contentFormatOption } from '#core/signal/content-format.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import { encodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';
import type { RequestRefusal, SignalError } from '#core/signal/protocol-error.ts';

export type Reply =
  | { readonly type: 'respond'; readonly response: Response }
  /** No response at all; a Confirmable request still gets its empty ACK (RFC 9132 §4.4.3, D12). */
  | { readonly type: 'silence' };

export const respond = (response: Response): Reply => ({ type: 'respond', response });

export const refuse = (error: SignalError): Reply => respond(errorResponse(error));

export const emptyResponse = (code: number): Response => ({ code, options: [], payload: EMPTY });

/** 2.05 with a DOTS body. */
export const content = (payload: Uint8Array): Response => ({
  code: RESPONSE.content,
  options: [contentFormatOption()],
  payload,
});

/** The decision's answer to a command on a mitigation (RFC 9132 §4.4.1.3, §4.4.3, §4.4.4). */
export function replyTo(answer: Answer): Reply {
  switch (answer.result) {
    case 'created':
    case 'changed':
      return respond({
        code: answer.result === 'created' ? RESPONSE.created : RESPONSE.changed,
        options: [contentFormatOption()],
        payload: encodeMitigationAnswer(answer),
      });
    case 'deleted':
      return respond(emptyResponse(RESPONSE.deleted));
    case 'ignored':
      return { type: 'silence' };
    case 'refused':
      return refuse(answer.refusal);
    case 'done':
      throw new Error('no request of a client is answered with done');
  }
}

/** Something of ours failed; the client may ask again. */
export const UNAVAILABLE: Extract<RequestRefusal, { code: 'unavailable' }> = {
  code: 'unavailable',
  why: 'the service cannot answer at the moment',
  retryAfterSeconds: 3,
};
