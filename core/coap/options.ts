/** Reading and making options (RFC 7252 §3.2): uint values have no leading zero bytes. */
import { utf8Decode, utf8Encode } from '../base/bytes.ts';
import type { CoapOption } from './message.ts';

export const optionValues = (options: readonly CoapOption[], number: number): Uint8Array[] =>
  options.filter((option) => option.number === number).map((option) => option.value);

export function uintValue(value: Uint8Array): number {
  let number = 0;
  for (const byte of value) number = number * 256 + byte;
  return number;
}

/** The first option of this number as a uint, or undefined when absent. */
export function uintOption(options: readonly CoapOption[], number: number): number | undefined {
  const option = options.find((candidate) => candidate.number === number);
  return option === undefined ? undefined : uintValue(option.value);
}

/** Texts of a repeated string option; undefined when one is not UTF-8. */
export function textOptions(options: readonly CoapOption[], number: number): string[] | undefined {
  const texts: string[] = [];
  for (const value of optionValues(options, number)) {
    const text = utf8Decode(value);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

export function makeUintOption(number: number, value: number): CoapOption {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return { number, value: Uint8Array.from(bytes) };
}

export const makeTextOption = (number: number, text: string): CoapOption => ({
  number,
  value: utf8Encode(text),
});

/** Ascending by number, stable for repeated ones. */
export const sortOptions = (options: readonly CoapOption[]): CoapOption[] =>
  [...options].sort((left, right) => left.number - right.number);
