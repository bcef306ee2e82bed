import { fromBase64Url, toBase64Url, utf8Decode, utf8Encode } from '#core/base/bytes.ts';

describe('UTF-8', () => {
  test.each(['', 'dots', 'é', '€', '😀', '\u0000'])(
    '%j survives both ways and equals the platform codec',
    (text) => {
      expect(utf8Encode(text)).toEqual(new TextEncoder().encode(text));
      expect(utf8Decode(utf8Encode(text))).toBe(text);
    },
  );

  test.each([
    [[0xc0, 0x80]],
    [[0xe0, 0x80, 0x80]],
    [[0xed, 0xa0, 0x80]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[0xe2, 0x82]],
    [[0x80]],
    [[0xff]],
  ])('ill-formed %j is refused', (bytes) => {
    expect(utf8Decode(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe('base64url', () => {
  test.each([0, 1, 2, 3, 15, 16, 32])('%i bytes equal the platform codec and survive both ways', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + 251) & 255);
    expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
    expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
  });

  test.each(['a', 'ab+d', 'ab=='])('%j is refused', (text) => {
    expect(fromBase64Url(text)).toBeUndefined();
  });
});
