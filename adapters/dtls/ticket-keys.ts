/**
 * Session tickets (RFC 5077): resumption without state at the server (RFC 9132 §7.1), by any process that holds the keys.
 * The first key seals, the others still open what they sealed, and the client gets a fresh ticket then.
 */
import { randomBytes } from 'node:crypto';
import { equalBytes, utf8Encode } from '#core/base/bytes.ts';
import { addressOf, openssl, type Pointer } from './openssl.ts';

const NAME_LENGTH = 16;
const SECRET_LENGTH = 32;
const IV_LENGTH = 16;
/** Key name, HMAC-SHA-256 key, AES-256 key: OpenSSL's own layout of 80 bytes. */
export const TICKET_KEY_LENGTH = NAME_LENGTH + 2 * SECRET_LENGTH;

export interface TicketKey {
  readonly name: Uint8Array;
  readonly cipherKey: Uint8Array;
  /** Native parameters that hold the HMAC key. */
  readonly macParameters: Uint8Array;
}

/** What the callback tells OpenSSL. */
const ANSWER = { failed: -1, unknownKey: 0, done: 1, doneRenew: 2 } as const;

/** Throws on an empty list or a key that is not 80 bytes. */
export function readTicketKeys(keys: readonly Uint8Array[]): readonly TicketKey[] {
  if (keys.length === 0) throw new RangeError('At least one ticket key is needed');
  return keys.map((bytes) => {
    if (bytes.length !== TICKET_KEY_LENGTH)
      throw new RangeError(`A ticket key has ${TICKET_KEY_LENGTH} bytes, not ${bytes.length}`);
    return {
      name: bytes.slice(0, NAME_LENGTH),
      macParameters: macParameters(bytes.slice(NAME_LENGTH, NAME_LENGTH + SECRET_LENGTH)),
      cipherKey: bytes.slice(NAME_LENGTH + SECRET_LENGTH),
    };
  });
}

/** Body of SSL_CTX_set_tlsext_ticket_key_evp_cb: prepares cipher and MAC to seal a new ticket or to open one. */
export function prepareTicket(
  keys: readonly TicketKey[],
  name: Pointer,
  iv: Pointer,
  cipher: Pointer,
  mac: Pointer,
  sealing: boolean,
): number {
  return sealing ? seal(keys, name, iv, cipher, mac) : open(keys, name, iv, cipher, mac);
}

function seal(keys: readonly TicketKey[], name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer): number {
  const { memcpy, EVP_EncryptInit_ex, EVP_MAC_CTX_set_params, EVP_aes_256_cbc } = openssl();
  const [key] = keys;
  if (key === undefined) return ANSWER.failed;
  const freshIv = randomBytes(IV_LENGTH);
  memcpy(name, key.name, NAME_LENGTH);
  memcpy(iv, freshIv, IV_LENGTH);
  const ready =
    EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), null, key.cipherKey, freshIv) === 1 &&
    EVP_MAC_CTX_set_params(mac, key.macParameters) === 1;
  return ready ? ANSWER.done : ANSWER.failed;
}

function open(keys: readonly TicketKey[], name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer): number {
  const { memcpy, EVP_DecryptInit_ex, EVP_MAC_CTX_set_params, EVP_aes_256_cbc } = openssl();
  const wanted = new Uint8Array(NAME_LENGTH);
  const sealedIv = new Uint8Array(IV_LENGTH);
  memcpy(wanted, name, NAME_LENGTH);
  memcpy(sealedIv, iv, IV_LENGTH);
  const key = keys.find((candidate) => equalBytes(candidate.name, wanted));
  if (key === undefined) return ANSWER.unknownKey;
  const ready =
    EVP_MAC_CTX_set_params(mac, key.macParameters) === 1 &&
    EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), null, key.cipherKey, sealedIv) === 1;
  if (!ready) return ANSWER.failed;
  return key === keys[0] ? ANSWER.done : ANSWER.doneRenew;
}

/**
 * `OSSL_PARAM[] = { "key": octets, "digest": "SHA256", end }` followed by what it points to, in one allocation so that all
 * of it lives equally long (openssl/core.h: an entry is 40 bytes on 64-bit machines).
 */
function macParameters(key: Uint8Array): Uint8Array {
  const OCTET_STRING = 5;
  const UTF8_STRING = 4;
  const ENTRY_LENGTH = 40;
  const UNMODIFIED = 0xffff_ffff_ffff_ffffn;
  const memory = new Uint8Array(new ArrayBuffer(256));
  const view = new DataView(memory.buffer);
  const base = addressOf(memory);
  let free = 3 * ENTRY_LENGTH;
  const store = (bytes: Uint8Array): bigint => {
    const address = base + BigInt(free);
    memory.set(bytes, free);
    free += bytes.length + 1;
    return address;
  };
  const put = (index: number, name: string, type: number, data: Uint8Array): void => {
    const at = index * ENTRY_LENGTH;
    view.setBigUint64(at, store(utf8Encode(name)), true);
    view.setUint32(at + 8, type, true);
    view.setBigUint64(at + 16, store(data), true);
    view.setBigUint64(at + 24, BigInt(data.length), true);
    view.setBigUint64(at + 32, UNMODIFIED, true);
  };
  put(0, 'key', OCTET_STRING, key);
  put(1, 'digest', UTF8_STRING, utf8Encode('SHA256'));
  return memory;
}
