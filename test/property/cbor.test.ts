import fc from 'fast-check';
import { type CborValue, DecimalFraction } from '#core/cbor/cbor-value.ts';
import { decodeCbor, encodeCbor } from '#core/cbor/codec.ts';

const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(narrow);
const { value: cborValue } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    integer,
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc.tuple(integer, integer).map(([exponent, mantissa]) => new DecimalFraction(exponent, mantissa)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.nat(70_000), tie('value')), { selector: ([key]) => key, maxLength: 5 })
      .map((entries) => new Map(entries)),
  ),
}));

/** As decoding yields it: eight bytes on the wire are a bigint. */
function narrow(value: bigint): number | bigint {
  return value >= -(2n ** 32n) && value < 2n ** 32n ? Number(value) : value;
}

test('decoding undoes encoding', () => {
  fc.assert(
    fc.property(cborValue, (value) => {
      expect(decodeCbor(encodeCbor(value))).toEqual({ ok: true, value });
    }),
    { numRuns: 500 },
  );
});

test('any bytes decode or are refused, without an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const decoded = decodeCbor(bytes);
      if (!decoded.ok) expect(decoded.error.at).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 20_000 },
  );
});

test('one flipped byte of a valid item decodes or is refused, without an exception', () => {
  const flipped = fc.tuple(cborValue, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = encodeCbor(value);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(flipped, (bytes) => {
      const decoded = decodeCbor(bytes);
      if (!decoded.ok) expect(decoded.error.at).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 5_000 },
  );
});
