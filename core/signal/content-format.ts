/** application/dots+cbor is Content-Format 271 (RFC 9132 §10.4), in and out (decision D22). */
import type { CoapOption } from '../coap/message.ts';
import { OPTION } from '../coap/option-number.ts';
import { makeUintOption, uintOption } from '../coap/options.ts';
import type { ProtocolError } from './protocol-error.ts';

export const DOTS_CBOR = 271;

/** On every message with a DOTS body. */
export const contentFormatOption = (): CoapOption => makeUintOption(OPTION.contentFormat, DOTS_CBOR);

/** What a request says of formats, if it is not ours to serve. A missing Content-Format or Accept is fine. */
export function checkFormats(options: readonly CoapOption[]): ProtocolError | undefined {
  const format = uintOption(options, OPTION.contentFormat);
  if (format !== undefined && format !== DOTS_CBOR) return { code: 'unsupported-content-format', format };
  const accept = uintOption(options, OPTION.accept);
  if (accept !== undefined && accept !== DOTS_CBOR) return { code: 'not-acceptable', format: accept };
  return undefined;
}
