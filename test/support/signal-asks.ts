/** What tests of the server say and read: bodies to send, answers in the model's words. */
import { formatCode } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { uintOption } from '#core/coap/options.ts';
import type { Cuid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { MitigationRequestBody, SignalConfigBody } from '#core/signal/bodies.ts';
import { decodeConfigAnswer } from '#core/signal/config-codec.ts';
import { encodeMitigationRequest } from '#core/signal/mitigation-codec.ts';
import { decodeMitigationStatus, type ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';

export const CUID = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;

/** A request for one address of the domain, everything open to change. */
export const scopeBody = (
  prefix: string | readonly string[] = '192.0.2.1/32',
  changes: Partial<MitigationRequestBody> = {},
): Uint8Array =>
  encodeMitigationRequest({
    scope: { ...EMPTY_SCOPE, targetPrefixes: typeof prefix === 'string' ? [prefix] : prefix },
    lifetimeSeconds: 3600,
    triggerMitigation: true,
    ...changes,
  });

export const mitigation = (mid?: number, cuid: string = CUID): string =>
  mid === undefined ? `mitigate/cuid=${cuid}` : `mitigate/cuid=${cuid}/mid=${mid}`;

/** `2.05`; `silence` when there is no answer. */
export const codeOf = (response: Response | undefined): string =>
  response === undefined ? 'silence' : formatCode(response.code);

export const textOf = (response: Response): string => new TextDecoder().decode(response.payload);

export const hexOf = (response: Response): string => Buffer.from(response.payload).toString('hex');

export const optionOf = (response: Response, number: number): number | undefined =>
  uintOption(response.options, number);

export const maxAgeOf = (response: Response): number | undefined => optionOf(response, OPTION.maxAge);

export function entriesOf(response: Response): readonly ReceivedStatusEntry[] {
  const decoded = decodeMitigationStatus(response.payload);
  if (!decoded.ok) throw new Error(`not a list of mitigations: ${decoded.error.field} ${decoded.error.why}`);
  return decoded.value;
}

export function entryOf(response: Response): ReceivedStatusEntry {
  const [only, ...more] = entriesOf(response);
  if (only === undefined || more.length > 0) throw new Error('not exactly one mitigation');
  return only;
}

export function configOf(response: Response): SignalConfigBody {
  const decoded = decodeConfigAnswer(response.payload);
  if (!decoded.ok) throw new Error(`not a configuration: ${decoded.error.field} ${decoded.error.why}`);
  return decoded.value;
}
