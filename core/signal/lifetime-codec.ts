/** `lifetime` on the wire (RFC 9132 §4.4.1.1): an unsigned integer of 32 bits, or -1. */
import type { BodyReader, Fields } from './body-reader.ts';

/** No end. */
const UNLIMITED = -1;
/** Longer lifetimes are read as these 68 years. */
const LONGEST = 0x7fff_ffff;

/** Seconds, or undefined when absent or refused. */
export function readLifetime(fields: Fields, reader: BodyReader): number | undefined {
  if (!fields.has('lifetime')) return undefined;
  const value = fields.get('lifetime');
  if (value === UNLIMITED || value === BigInt(UNLIMITED)) return UNLIMITED;
  const lifetime = reader.unsignedValue(value, 'lifetime');
  return lifetime === undefined ? undefined : Math.min(lifetime, LONGEST);
}
