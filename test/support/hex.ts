/** Bytes of hexadecimal text; spaces separate for the reader. */
export const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
