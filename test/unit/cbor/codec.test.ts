import { toHex } from '#core/base/bytes.ts';
import { type CborValue, DecimalFraction } from '#core/cbor/cbor-value.ts';
import { decodeCbor, encodeCbor } from '#core/cbor/codec.ts';
import { DEFAULT_SCAN_LIMITS } from '#core/cbor/scan.ts';
import { fromHex } from '#test/support/hex.ts';

const decode = (hex: string) => decodeCbor(fromHex(hex));
const why = (hex: string): string | undefined => {
  const decoded = decode(hex);
  return decoded.ok ? undefined : decoded.error.why;
};

describe('encoding', () => {
  test.each<[CborValue, string]>([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65535, '19ffff'],
    [65536, '1a00010000'],
    [4294967295, '1affffffff'],
    [4294967296, '1b0000000100000000'],
    [5n, '05'],
    [18446744073709551615n, '1bffffffffffffffff'],
    [-1, '20'],
    [-4294967296, '3affffffff'],
    [-4294967297, '3b0000000100000000'],
    ['ü', '62c3bc'],
    [true, 'f5'],
    [false, 'f4'],
    [Uint8Array.of(1, 2), '420102'],
    [new DecimalFraction(-2, 200), 'c4822118c8'],
    [
      new Map<number, CborValue>([
        [300, 1],
        [2, [new Map()]],
      ]),
      'a219012c010281a0',
    ],
  ])('%p', (value, hex) => {
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  test('what CBOR integers cannot hold is our own mistake', () => {
    expect(() => encodeCbor(1.5)).toThrow('not an integer');
    expect(() => encodeCbor(2n ** 64n)).toThrow('beyond 64 bits');
  });
});

describe('decoding', () => {
  test.each<[string, CborValue]>([
    ['1b0000000000000005', 5n],
    ['1900ff', 255],
    ['3bffffffffffffffff', -(2n ** 64n)],
    ['bf0105ff', new Map([[1, 5]])],
    ['9f0102ff', [1, 2]],
    ['7f6161626263ff', 'abc'],
    ['7fff', ''],
    ['5f4201024103ff', Uint8Array.of(1, 2, 3)],
    ['827f6161ff7f6162ff', ['a', 'b']],
    ['c482211896', new DecimalFraction(-2, 150)],
    ['f6', null],
  ])('%s', (hex, value) => {
    expect(decode(hex)).toEqual({ ok: true, value });
  });

  test.each([
    ['', 'ends in the middle of an item'],
    ['19ff', 'ends in the middle of an item'],
    ['6261', 'ends in the middle of a string'],
    ['bbffffffffffffffff', 'ends in the middle of an item'],
    ['7bffffffffffffffff', 'ends in the middle of a string'],
    ['a10101a0', 'bytes after the end of the item'],
    ['a201010102', 'duplicate key 1'],
    ['a20101180102', 'duplicate key 1'],
    ['a2616101616102', 'duplicate key a'],
    ['bf010120022003ff', 'duplicate key -1'],
    ['a1f501', 'a key that is neither an integer nor text'],
    ['a17f6161ff01', 'a key of indefinite length'],
    ['62c328', 'text that is not UTF-8'],
    ['62c0af', 'text that is not UTF-8'],
    ['7f61c361bcff', 'text that is not UTF-8'],
    ['7f4161ff', 'a chunk of another kind in a string'],
    ['7f7f6161ffff', 'a chunk of another kind in a string'],
    ['1c', 'reserved additional information'],
    ['1f', 'reserved additional information'],
    ['df00', 'reserved additional information'],
    ['ff', 'a break outside of an indefinite length'],
    ['bf01ff', 'a break outside of an indefinite length'],
    ['c101', 'tag 1'],
    ['d9010fa0', 'tag 271'],
    ['c4821a', 'ends in the middle of an item'],
    ['c482f501', 'a decimal fraction that is not a pair of integers'],
    ['c48121', 'a decimal fraction that is not a pair of integers'],
    ['c49f2101ff', 'a decimal fraction that is not a pair of integers'],
    ['f0', 'an unassigned simple value'],
    ['f8ff', 'an unassigned simple value'],
    ['fb3ff8000000000000', 'a floating-point number'],
  ])('refuses %s: %s', (hex, reason) => {
    expect(why(hex)).toBe(reason);
  });

  test('floating point passes only under a key that is skipped', () => {
    const limits = { ...DEFAULT_SCAN_LIMITS, ignoresKey: (key: number) => key === 200 };
    expect(decodeCbor(fromHex('a118c881f93c00'), limits).ok).toBe(true);
    expect(decodeCbor(fromHex('a118c9f93c00'), limits).ok).toBe(false);
  });

  test('depth and size are bounded', () => {
    expect(why(`${'81'.repeat(15)}80`)).toBeUndefined();
    expect(why(`${'81'.repeat(16)}80`)).toBe('nested deeper than 16');
    expect(why('81'.repeat(60_000))).toBe('nested deeper than 16');
    const limits = { ...DEFAULT_SCAN_LIMITS, maxBytes: 3 };
    expect(decodeCbor(fromHex('6161'), limits).ok).toBe(true);
    expect(decodeCbor(fromHex('63616161'), limits)).toEqual({
      ok: false,
      error: { at: 3, why: 'longer than 3 bytes' },
    });
  });
});
