/**
 * Walks a CBOR item once, in time linear in its length, before any decoder sees it: well-formedness (RFC 8949 §5.3.1),
 * UTF-8, duplicate keys, depth, size, trailing bytes. Non-shortest and indefinite lengths are valid and pass.
 */
import { utf8Decode } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';

export interface ScanLimits {
  readonly maxBytes: number;
  /** Arrays, maps and tags inside one another. */
  readonly maxDepth: number;
  /** Keys whose values the caller skips: floating point is let through there, and nowhere else. */
  readonly ignoresKey: (key: number) => boolean;
}

export const DEFAULT_SCAN_LIMITS: ScanLimits = {
  maxBytes: 1_048_576,
  maxDepth: 16,
  ignoresKey: () => false,
};

export interface CborError {
  /** Offset of the byte at or before which reading stopped. */
  readonly at: number;
  readonly why: string;
}

/** A string sent in chunks (RFC 8949 §3.2.3): `start` is its first byte, `end` the one after its break. */
export interface ChunkedString {
  readonly start: number;
  readonly end: number;
  readonly major: 2 | 3;
  readonly chunks: readonly { readonly start: number; readonly end: number }[];
}

/** Exactly one acceptable item, or why not. The value lists strings in chunks, in order of `start`. */
export function scanCbor(
  bytes: Uint8Array,
  limits: ScanLimits = DEFAULT_SCAN_LIMITS,
): Result<readonly ChunkedString[], CborError> {
  if (bytes.length > limits.maxBytes) {
    return fail({ at: limits.maxBytes, why: `longer than ${limits.maxBytes} bytes` });
  }
  const scanner = new Scanner(bytes, limits);
  const why = scanner.item(1, false);
  if (why !== undefined) return fail({ at: scanner.at, why });
  if (scanner.at < bytes.length) return fail({ at: scanner.at, why: 'bytes after the end of the item' });
  return ok(scanner.chunked);
}

export interface CborHead {
  readonly major: number;
  /** Low five bits of the initial byte; 31 is indefinite length or break. */
  readonly info: number;
  /** Length, value or tag number; beyond 2^53 only roughly. */
  readonly argument: number;
  readonly next: number;
}

/** The head of the item at `at` (RFC 8949 §3), or why there is none. */
export function readHead(bytes: Uint8Array, at: number): CborHead | string {
  const initial = bytes[at];
  if (initial === undefined) return 'ends in the middle of an item';
  const major = initial >> 5;
  const info = initial & 31;
  if (info < 24) return { major, info, argument: info, next: at + 1 };
  if (info === 31) return { major, info, argument: 0, next: at + 1 };
  if (info > 27) return 'reserved additional information';
  const next = at + 1 + 2 ** (info - 24);
  if (next > bytes.length) return 'ends in the middle of an item';
  let argument = 0;
  for (let index = at + 1; index < next; index++) argument = argument * 256 + (bytes[index] ?? 0);
  return { major, info, argument, next };
}

const BREAK = 0xff;
const INDEFINITE = 31;
const DECIMAL_FRACTION_TAG = 4;

/** Each method moves `at` past what it accepts, or returns what is wrong. */
class Scanner {
  at = 0;
  readonly chunked: ChunkedString[] = [];
  readonly #bytes: Uint8Array;
  readonly #limits: ScanLimits;

  constructor(bytes: Uint8Array, limits: ScanLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  item(depth: number, ignored: boolean): string | undefined {
    const start = this.at;
    const head = readHead(this.#bytes, start);
    if (typeof head === 'string') return head;
    this.at = head.next;
    switch (head.major) {
      case 0:
      case 1:
        return head.info === INDEFINITE ? 'reserved additional information' : undefined;
      case 2:
      case 3:
        return this.#string(head, start);
      case 4:
      case 5:
      case 6:
        if (depth > this.#limits.maxDepth) return `nested deeper than ${this.#limits.maxDepth}`;
        if (head.major === 4) return this.#array(head, depth, ignored);
        return head.major === 5 ? this.#map(head, depth, ignored) : this.#tag(head, depth);
      default:
        return simple(head, ignored);
    }
  }

  #string(head: CborHead, start: number): string | undefined {
    if (head.info !== INDEFINITE) return this.#stringBytes(head);
    const chunks: { start: number; end: number }[] = [];
    while (this.#bytes[this.at] !== BREAK) {
      const chunk = readHead(this.#bytes, this.at);
      if (typeof chunk === 'string') return chunk;
      if (chunk.major !== head.major || chunk.info === INDEFINITE)
        return 'a chunk of another kind in a string';
      this.at = chunk.next;
      const why = this.#stringBytes(chunk);
      if (why !== undefined) return why;
      chunks.push({ start: chunk.next, end: this.at });
    }
    this.at += 1;
    this.chunked.push({ start, end: this.at, major: head.major === 2 ? 2 : 3, chunks });
    return undefined;
  }

  #stringBytes(head: CborHead): string | undefined {
    const end = this.at + head.argument;
    if (end > this.#bytes.length) return 'ends in the middle of a string';
    if (head.major === 3 && utf8Decode(this.#bytes, this.at, end) === undefined)
      return 'text that is not UTF-8';
    this.at = end;
    return undefined;
  }

  #array(head: CborHead, depth: number, ignored: boolean): string | undefined {
    for (let count = 0; !this.#isOver(head, count); count++) {
      const why = this.item(depth + 1, ignored);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #map(head: CborHead, depth: number, ignored: boolean): string | undefined {
    const seen = new Set<number | string>();
    for (let count = 0; !this.#isOver(head, count); count++) {
      const key = this.#key();
      if (!key.ok) return key.error;
      if (seen.has(key.value)) return `duplicate key ${key.value}`;
      seen.add(key.value);
      const skipped = typeof key.value === 'number' && this.#limits.ignoresKey(key.value);
      const why = this.item(depth + 1, ignored || skipped);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #key(): Result<number | string, string> {
    const head = readHead(this.#bytes, this.at);
    if (typeof head === 'string') return fail(head);
    const isInteger = head.major <= 1;
    if (!isInteger && head.major !== 3) return fail('a key that is neither an integer nor text');
    if (head.info === INDEFINITE) return fail('a key of indefinite length');
    this.at = head.next;
    if (isInteger) return ok(head.major === 0 ? head.argument : -1 - head.argument);
    const why = this.#stringBytes(head);
    if (why !== undefined) return fail(why);
    return ok(utf8Decode(this.#bytes, head.next, this.at) ?? '');
  }

  /** True after the last element; takes the break of an indefinite length. */
  #isOver(head: CborHead, count: number): boolean {
    if (head.info !== INDEFINITE) return count >= head.argument;
    if (this.#bytes[this.at] !== BREAK) return false;
    this.at += 1;
    return true;
  }

  /** Only a decimal fraction of two integers: tags make a decoder do things, and DOTS needs no others. */
  #tag(head: CborHead, depth: number): string | undefined {
    if (head.info === INDEFINITE) return 'reserved additional information';
    if (head.argument !== DECIMAL_FRACTION_TAG) return `tag ${head.argument}`;
    const array = readHead(this.#bytes, this.at);
    if (typeof array === 'string') return array;
    if (array.major !== 4 || array.argument !== 2) return 'a decimal fraction that is not a pair of integers';
    let at = array.next;
    for (let index = 0; index < 2; index++) {
      const integer = readHead(this.#bytes, at);
      if (typeof integer === 'string') return integer;
      if (integer.major > 1) return 'a decimal fraction that is not a pair of integers';
      at = integer.next;
    }
    return this.item(depth + 1, false);
  }
}

/** False, true, null, undefined; floating point where nobody looks. */
function simple(head: CborHead, ignored: boolean): string | undefined {
  if (head.info >= 20 && head.info <= 23) return undefined;
  if (head.info >= 25 && head.info <= 27) return ignored ? undefined : 'a floating-point number';
  return head.info === INDEFINITE ? 'a break outside of an indefinite length' : 'an unassigned simple value';
}
