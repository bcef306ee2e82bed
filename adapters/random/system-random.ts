/** Randomness of the operating system, fit for tokens and keys. */
import { randomBytes } from 'node:crypto';
import type { Random } from '#core/ports/clock.ts';

/** 2^-32: a 32-bit number becomes a fraction in [0, 1). */
const SCALE = 1 / 0x1_0000_0000;

export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  fraction: () => randomBytes(4).readUInt32BE() * SCALE,
};
