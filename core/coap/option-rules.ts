/** Which options are understood, how long they may be and how often they may come (RFC 7252 §5.4 and §5.10). */
import { METHOD } from './code.ts';
import type { CoapOption, Message } from './message.ts';
import { isCritical, OPTION } from './option-number.ts';

interface OptionRule {
  readonly minLength: number;
  readonly maxLength: number;
  readonly repeatable: boolean;
}

const once = (minLength: number, maxLength: number): OptionRule => ({
  minLength,
  maxLength,
  repeatable: false,
});
const repeated = (minLength: number, maxLength: number): OptionRule => ({
  minLength,
  maxLength,
  repeatable: true,
});

/** Q-Block1 and Q-Block2 are not among them: RFC 9177 §4.1 wants both or neither. */
const RULES: ReadonlyMap<number, OptionRule> = new Map([
  [OPTION.ifMatch, repeated(0, 8)],
  [OPTION.uriHost, once(1, 255)],
  [OPTION.etag, repeated(1, 8)],
  [OPTION.ifNoneMatch, once(0, 0)],
  [OPTION.observe, once(0, 3)],
  [OPTION.uriPort, once(0, 2)],
  [OPTION.locationPath, repeated(0, 255)],
  [OPTION.uriPath, repeated(0, 255)],
  [OPTION.contentFormat, once(0, 2)],
  [OPTION.maxAge, once(0, 4)],
  [OPTION.uriQuery, repeated(0, 255)],
  // RFC 8768 §3 gives 4.00 for a value out of range, whatever its length: judged by the request layer.
  [OPTION.hopLimit, once(0, 0xffff)],
  [OPTION.accept, once(0, 2)],
  [OPTION.locationQuery, repeated(0, 255)],
  [OPTION.block2, once(0, 3)],
  [OPTION.block1, once(0, 3)],
  [OPTION.size2, once(0, 4)],
  [OPTION.proxyUri, once(1, 1034)],
  [OPTION.proxyScheme, once(1, 255)],
  [OPTION.size1, once(0, 4)],
  [OPTION.echo, once(1, 40)],
  [OPTION.noResponse, once(0, 1)],
  [OPTION.requestTag, repeated(0, 8)],
]);

/** Critical options that mean something in a response. */
const CRITICAL_IN_RESPONSE: ReadonlySet<number> = new Set([OPTION.block1, OPTION.block2]);

export interface CheckedOptions {
  /** Without the elective ones to be ignored: of wrong length (§5.4.3) or supernumerary (§5.4.5). Unknown ones stay. */
  readonly options: readonly CoapOption[];
  /** A critical option that is not understood: the message is to be refused (§5.4.1). */
  readonly badOption: number | undefined;
}

export function checkOptions(message: Message): CheckedOptions {
  let kept: CoapOption[] | undefined;
  let previous = -1;
  for (const [index, option] of message.options.entries()) {
    const understood = isUnderstood(message.code, option, previous);
    previous = option.number;
    if (understood) kept?.push(option);
    else if (isCritical(option.number)) return { options: message.options, badOption: option.number };
    // Unknown elective ones are for a gateway to forward (§5.7.1).
    else if (!RULES.has(option.number)) kept?.push(option);
    else kept ??= message.options.slice(0, index);
  }
  return { options: kept ?? message.options, badOption: undefined };
}

function isUnderstood(code: number, { number, value }: CoapOption, previous: number): boolean {
  const rule = RULES.get(number);
  if (rule === undefined || value.length < rule.minLength || value.length > rule.maxLength) return false;
  if (number === previous && !rule.repeatable) return false;
  if (!isCritical(number)) return true;
  if (code >> 5 !== 0) return CRITICAL_IN_RESPONSE.has(number);
  // RFC 7252 §5.4: an option not defined for a method is treated as one not understood.
  const hasNoBody = code === METHOD.get || code === METHOD.delete;
  return !(hasNoBody && number === OPTION.block1);
}
