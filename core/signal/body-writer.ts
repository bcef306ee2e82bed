/** Builds DOTS bodies: maps with the keys of Table 5 (RFC 9132 §6), in the order given. */
import type { CborMap, CborValue } from '../cbor/cbor-value.ts';
import { encodeCbor } from '../cbor/codec.ts';
import type { Container } from './body-reader.ts';
import { KEY, type KeyName } from './keys.ts';

export type Entry = readonly [KeyName, CborValue];

/** A map of the entries whose value is there. */
export const mapOf = (entries: readonly Entry[]): CborMap =>
  new Map(entries.filter(([, value]) => value !== undefined).map(([name, value]) => [KEY[name], value]));

/** Undefined for an empty list: §4.4.1.1 allows no empty values. */
export const listOf = <T>(
  values: readonly T[] | undefined,
  write: (value: T) => CborValue,
): readonly CborValue[] | undefined =>
  values === undefined || values.length === 0 ? undefined : values.map(write);

/** A whole message: one container in the top-level map. */
export const encodeBody = (container: Container, content: CborMap): Uint8Array =>
  encodeCbor(mapOf([[container, content]]));
