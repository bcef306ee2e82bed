/** Tokens of our requests. */
import { equalBytes } from '../base/bytes.ts';

const TOKEN_BYTES = 8;

/**
 * Four random bytes, then a sequence number from zero. The sequence keeps a token from ever coming back within a session
 * (RFC 9175 §4.2); the random part makes it unpredictable (RFC 7252 §5.3.1). What waits is found by the sequence.
 */
export class Tokens<T> {
  readonly #random: () => number;
  readonly #waiting = new Map<number, { readonly token: Uint8Array; readonly value: T }>();
  #sequence = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  make(): Uint8Array {
    const token = new Uint8Array(TOKEN_BYTES);
    writeUint32(token, 0, Math.floor(this.#random() * 2 ** 32));
    writeUint32(token, 4, this.#sequence);
    this.#sequence = (this.#sequence + 1) % 2 ** 32;
    return token;
  }

  /** `token` must come from `make`. */
  set(token: Uint8Array, value: T): void {
    this.#waiting.set(sequenceOf(token), { token, value });
  }

  get(token: Uint8Array): T | undefined {
    if (token.length !== TOKEN_BYTES) return undefined;
    const found = this.#waiting.get(sequenceOf(token));
    return found !== undefined && equalBytes(found.token, token) ? found.value : undefined;
  }

  delete(token: Uint8Array): void {
    this.#waiting.delete(sequenceOf(token));
  }

  *values(): Iterable<T> {
    for (const { value } of this.#waiting.values()) yield value;
  }
}

const sequenceOf = (token: Uint8Array): number => {
  let sequence = 0;
  for (let at = 4; at < TOKEN_BYTES; at++) sequence = sequence * 256 + (token[at] ?? 0);
  return sequence;
};

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
