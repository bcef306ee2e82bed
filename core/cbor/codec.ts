/**
 * CBOR (RFC 8949) in and out: the scan first, then cbor-x, which nothing else in the repository imports. Its
 * `index-no-eval` is the build without native code and without code generated at run time.
 */
import { addExtension, Encoder } from 'cbor-x/index-no-eval';
import { concatBytes } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type CborMap, type CborValue, DecimalFraction } from './cbor-value.ts';
import {
  type CborError,
  type ChunkedString,
  DEFAULT_SCAN_LIMITS,
  type ScanLimits,
  scanCbor,
} from './scan.ts';

const DECIMAL_FRACTION_TAG = 4;
const UINT32_MAX = 0xffff_ffff;
const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 64n - 1n;

// cbor-x would turn a decimal fraction into a rounded float.
addExtension<DecimalFraction, [number | bigint, number | bigint]>({
  Class: DecimalFraction,
  tag: DECIMAL_FRACTION_TAG,
  encode: (fraction, encode) => encode([fraction.exponent, fraction.mantissa]),
  decode: ([exponent, mantissa]) => new DecimalFraction(exponent, mantissa),
});

const library = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });

/** One CBOR item that fills `bytes`, or where and why not. Linear time; never throws. */
export function decodeCbor(
  bytes: Uint8Array,
  limits: ScanLimits = DEFAULT_SCAN_LIMITS,
): Result<CborValue, CborError> {
  const scanned = scanCbor(bytes, limits);
  if (!scanned.ok) return fail(scanned.error);
  return ok(library.decode(joinChunks(bytes, scanned.value)) as CborValue);
}

/** Integers in their shortest form, maps in the order of their entries, no tag but the decimal fraction's. */
export function encodeCbor(value: CborValue): Uint8Array {
  return new Uint8Array(library.encode(sized(value)) as Uint8Array);
}

/** cbor-x writes numbers above 2^32 as floats and every bigint in eight bytes: choose the type by the size. */
function sized(value: CborValue): unknown {
  switch (typeof value) {
    case 'number':
      if (!Number.isSafeInteger(value)) throw new Error(`not an integer: ${value}`);
      return value > UINT32_MAX || value < -1 - UINT32_MAX ? BigInt(value) : value;
    case 'bigint':
      // Below, cbor-x would write a bignum.
      if (value < LEAST || value > GREATEST) throw new Error(`beyond 64 bits: ${value}`);
      return value > UINT32_MAX || value < -1 - UINT32_MAX ? value : Number(value);
    case 'object': {
      if (value === null || value instanceof Uint8Array) return value;
      if (value instanceof DecimalFraction) return new DecimalFraction(value.exponent, value.mantissa);
      if (Array.isArray(value)) return (value as readonly CborValue[]).map(sized);
      const map = value as CborMap;
      return new Map([...map].map(([key, entry]) => [sized(key), sized(entry)]));
    }
    default:
      return value;
  }
}

/** cbor-x knows no strings in chunks: gives each a definite length. */
function joinChunks(bytes: Uint8Array, chunked: readonly ChunkedString[]): Uint8Array {
  if (chunked.length === 0) return bytes;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, major, chunks } of chunked) {
    const length = chunks.reduce((sum, chunk) => sum + chunk.end - chunk.start, 0);
    parts.push(bytes.subarray(at, start), stringHead(major, length));
    for (const chunk of chunks) parts.push(bytes.subarray(chunk.start, chunk.end));
    at = end;
  }
  parts.push(bytes.subarray(at));
  return concatBytes(parts);
}

/** Four bytes of length, whatever the length: any form decodes. */
const stringHead = (major: 2 | 3, length: number): Uint8Array =>
  Uint8Array.of((major << 5) | 26, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
