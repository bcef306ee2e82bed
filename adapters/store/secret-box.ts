/**
 * Pre-shared keys at rest: AES-256-GCM (NIST SP 800-38D) under a key that is kept apart from the database.
 * Sealed form: version (1 byte), nonce (12), tag (16), ciphertext. The name is authenticated too, so that a sealed key
 * copied to another client's row does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StoreError } from './store-error.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

export interface SecretBox {
  seal(name: string, secret: Uint8Array): Uint8Array;
  /** Throws StoreError `wrong-key` when it was sealed under another key or another name, or was altered. */
  open(name: string, sealed: Uint8Array): Uint8Array;
}

/** Without a key the box can be held but neither seal nor open (StoreError `no-key`). Throws on a key that is not 32 bytes. */
export function createSecretBox(key: Uint8Array | undefined): SecretBox {
  if (key !== undefined && key.length !== KEY_BYTES)
    throw new RangeError(`the key of the secret box must be ${KEY_BYTES} bytes, not ${key.length}`);
  const required = (): Uint8Array => {
    if (key !== undefined) return key;
    throw new StoreError('no-key', 'pre-shared keys need the store to be opened with `secretKey` (32 bytes)');
  };
  return {
    seal(name, secret) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, required(), nonce).setAAD(Buffer.from(name));
      const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
      return new Uint8Array(Buffer.concat([Uint8Array.of(VERSION), nonce, cipher.getAuthTag(), ciphertext]));
    },
    open(name, sealed) {
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv(ALGORITHM, required(), nonce, { authTagLength: TAG_BYTES });
      try {
        if (sealed[0] !== VERSION) throw new RangeError(`unknown sealed form ${sealed[0] ?? 'empty'}`);
        decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEADER_BYTES));
        return new Uint8Array(
          Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES)), decipher.final()]),
        );
      } catch (cause) {
        throw new StoreError(
          'wrong-key',
          `the pre-shared key of ${name} does not open: put back the key file it was stored with, or register the client again`,
          cause,
        );
      }
    },
  };
}
