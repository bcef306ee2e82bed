/** CBOR data items (RFC 8949) as DOTS uses them. */

/** Tag 4 (RFC 8949 §3.4.4): mantissa x 10^exponent. */
export class DecimalFraction {
  readonly exponent: number | bigint;
  readonly mantissa: number | bigint;

  constructor(exponent: number | bigint, mantissa: number | bigint) {
    this.exponent = exponent;
    this.mantissa = mantissa;
  }
}

/** What decoding yields. Integers of eight bytes on the wire are bigint, all others number. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | DecimalFraction
  | readonly CborValue[]
  | CborMap;

export type CborMap = ReadonlyMap<number | bigint | string, CborValue>;
