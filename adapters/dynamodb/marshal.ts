/** Attribute values of this table: text, whole numbers, bytes. Records are JSON in `body`. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ItemKey } from './keys.ts';

export type Item = Record<string, AttributeValue>;

export const text = (value: string): AttributeValue => ({ S: value });
export const whole = (value: number): AttributeValue => ({ N: value.toString() });
export const bytes = (value: Uint8Array): AttributeValue => ({ B: value });
export const keyItem = ({ PK, SK }: ItemKey): Item => ({ PK: text(PK), SK: text(SK) });

/** Throws when the attribute is missing: the table holds what we wrote, or something is very wrong. */
export function readText(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) throw new TypeError(`the item has no text attribute ${name}`);
  return value;
}

export function readWhole(item: Item, name: string): number {
  const value = item[name]?.N;
  if (value === undefined) throw new TypeError(`the item has no number attribute ${name}`);
  return Number(value);
}

export function readBytes(item: Item, name: string): Uint8Array {
  const value = item[name]?.B;
  if (value === undefined) throw new TypeError(`the item has no binary attribute ${name}`);
  return value;
}

export const readKey = (item: Item): ItemKey => ({ PK: readText(item, 'PK'), SK: readText(item, 'SK') });

export const readBody = (item: Item): unknown => JSON.parse(readText(item, 'body'));
