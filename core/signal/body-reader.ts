/**
 * Reads a DOTS body field by field and remembers the first thing that is wrong, so that a codec reads top to bottom:
 * every method answers something harmless after an error, and `finish` tells.
 */
import { fail, ok, type Result } from '../base/result.ts';
import type { CborMap, CborValue } from '../cbor/cbor-value.ts';
import { decodeCbor } from '../cbor/codec.ts';
import { DEFAULT_SCAN_LIMITS, readHead } from '../cbor/scan.ts';
import type { BodyError } from './bodies.ts';
import { isComprehensionOptional, isKey, type KeyName, keyName } from './keys.ts';

/** The known keys of one map, by name, in the order they had. */
export type Fields = ReadonlyMap<KeyName, CborValue>;

export type Container = 'mitigation-scope' | 'signal-config' | 'redirected-signal' | 'heartbeat';

const NO_FIELDS: Fields = new Map();
const MAPPING_SECTION = 'RFC 9132 §6';
const TAG = 6;
const DOTS_TAG = 271;
const UINT32_MAX = 0xffff_ffff;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

export class BodyReader {
  readonly #section: string;
  readonly #tolerant: boolean;
  #error: BodyError | undefined;

  /**
   * `section` is what errors cite unless they name their own. A tolerant reader is for answers: it skips what it does
   * not know and takes empty lists; §6 demands comprehension of a request only.
   */
  constructor(section: string, { tolerant = false }: { readonly tolerant?: boolean } = {}) {
    this.#section = section;
    this.#tolerant = tolerant;
  }

  /** Notes what is wrong, unless something was wrong before. */
  refuse(field: string, why: string, section = this.#section): void {
    this.#error ??= { field, why, section };
  }

  finish<T>(value: T): Result<T, BodyError> {
    return this.#error === undefined ? ok(value) : fail(this.#error);
  }

  /** The fields of the only message in `bytes` (§6: tag 271 may stand in front, §10.5). */
  open(bytes: Uint8Array, container: Container, allowed: readonly KeyName[]): Fields {
    const decoded = decodeCbor(withoutDotsTag(bytes), {
      ...DEFAULT_SCAN_LIMITS,
      ignoresKey: isComprehensionOptional,
    });
    if (!decoded.ok) {
      const { at, why } = decoded.error;
      this.refuse('body', `not acceptable CBOR at byte ${at}: ${why}`, MAPPING_SECTION);
      return NO_FIELDS;
    }
    const message = this.fields(decoded.value, 'body', [container]);
    if (!message.has(container)) this.refuse(container, 'missing');
    return this.fields(message.get(container), container, allowed);
  }

  /** The named entries of a map; an absent value has none. */
  fields(value: CborValue, field: string, allowed: readonly KeyName[]): Fields {
    if (value === undefined) return NO_FIELDS;
    if (!(value instanceof Map)) {
      this.refuse(field, 'not a map', MAPPING_SECTION);
      return NO_FIELDS;
    }
    const fields = new Map<KeyName, CborValue>();
    const unknown: number[] = [];
    for (const [wireKey, entry] of value as CborMap) {
      const key = typeof wireKey === 'bigint' ? Number(wireKey) : wireKey;
      const name = isKey(key) ? keyName(key) : undefined;
      if (name !== undefined && allowed.includes(name)) fields.set(name, entry);
      else if (this.#tolerant) continue;
      else if (!isKey(key)) this.refuse(field, 'keys are integers from 1 to 65535', 'RFC 9132 §10.6.1');
      else if (name !== undefined) this.refuse(name, `not allowed in ${field}`);
      else if (!isComprehensionOptional(key)) unknown.push(key);
    }
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 8).join(', ');
      this.refuse(field, `unknown comprehension-required CBOR keys: ${shown}`, MAPPING_SECTION);
    }
    return fields;
  }

  unsigned(fields: Fields, name: KeyName, max = UINT32_MAX): number | undefined {
    return fields.has(name) ? this.unsignedValue(fields.get(name), name, max) : undefined;
  }

  unsignedValue(value: CborValue, field: string, max = UINT32_MAX): number | undefined {
    const number = typeof value === 'bigint' && value <= max ? Number(value) : value;
    if (typeof number === 'number' && number >= 0 && number <= max) return number;
    this.refuse(field, `not an unsigned integer up to ${max}`);
    return undefined;
  }

  unsigned64(fields: Fields, name: KeyName): bigint | undefined {
    const value = fields.get(name);
    if (value === undefined && !fields.has(name)) return undefined;
    const number = typeof value === 'number' ? BigInt(value) : value;
    if (typeof number === 'bigint' && number >= 0n && number <= UINT64_MAX) return number;
    this.refuse(name, 'not an unsigned 64-bit integer');
    return undefined;
  }

  boolean(fields: Fields, name: KeyName): boolean | undefined {
    const value = fields.get(name);
    if (typeof value === 'boolean' || !fields.has(name)) return value as boolean | undefined;
    this.refuse(name, 'not true or false');
    return undefined;
  }

  text(fields: Fields, name: KeyName): string | undefined {
    return fields.has(name) ? this.textValue(fields.get(name), name) : undefined;
  }

  textValue(value: CborValue, field: string): string | undefined {
    if (typeof value !== 'string') {
      this.refuse(field, 'not a text string');
      return undefined;
    }
    if (value !== '') return value;
    this.refuse(field, 'empty');
    return undefined;
  }

  /** What `read` makes of each element; none for an absent list. §4.4.1.1: an empty one is invalid. */
  list<T>(fields: Fields, name: KeyName, read: (value: CborValue) => T | undefined): readonly T[] {
    if (!fields.has(name)) return [];
    const value = fields.get(name);
    if (!Array.isArray(value)) {
      this.refuse(name, 'not an array');
      return [];
    }
    if (value.length === 0 && !this.#tolerant) this.refuse(name, 'empty');
    return (value as readonly CborValue[]).map(read).filter((element) => element !== undefined);
  }
}

function withoutDotsTag(bytes: Uint8Array): Uint8Array {
  const head = readHead(bytes, 0);
  const tagged = typeof head !== 'string' && head.major === TAG && head.argument === DOTS_TAG;
  return tagged ? bytes.subarray(head.next) : bytes;
}
