/** As much DER (X.690) as certificates and sessions need: single-byte tags, definite lengths. */
import { concatBytes } from '#core/base/bytes.ts';

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

export const DER_TAG = {
  octetString: 0x04,
  oid: 0x06,
  ia5String: 0x16,
  sequence: 0x30,
  /** Context-specific and constructed: `[n]` around something else. */
  explicit: (number: number): number => 0xa0 | number,
  /** Context-specific and primitive: `[n]` instead of the type's own tag. */
  implicit: (number: number): number => 0x80 | number,
} as const;

/** The elements that stand one after another in `bytes`; undefined when they do not fill it exactly. */
export function readDer(bytes: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1];
    if (first === undefined) return undefined;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 3) return undefined;
    let length = lengthBytes === 0 ? first : 0;
    for (let index = 0; index < lengthBytes; index++) length = (length << 8) | (bytes[at + 2 + index] ?? 0);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) return undefined;
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** The one element `bytes` consists of, if it has this tag: its content. */
export function derContent(bytes: Uint8Array | undefined, tag: number): Uint8Array | undefined {
  const elements = bytes === undefined ? undefined : readDer(bytes);
  const [only] = elements ?? [];
  return elements?.length === 1 && only?.tag === tag ? only.content : undefined;
}

export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  const { length } = content;
  if (length > 0xffff) throw new RangeError('Too long for this DER writer');
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return concatBytes([Uint8Array.from(header), content]);
}
