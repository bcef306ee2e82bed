/**
 * The stateless cookie (RFC 6347 §4.2.1): a stranger proves that it receives at the address it sends from before anything
 * is stored or computed for it. Secrets change; a cookie of the previous secret is still good.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { ClientHello } from './client-hello.ts';
import { CONTENT_TYPE, RECORD_HEADER_LENGTH } from './records.ts';

type FirstHello = Extract<ClientHello, { part: 'first' }>;

/** Bytes of HMAC-SHA-256 that are sent. */
const COOKIE_LENGTH = 20;
const HELLO_VERIFY_REQUEST = 3;
const HANDSHAKE_HEADER_LENGTH = 12;
/** RFC 6347 §4.2.1: the server "SHOULD use the version of DTLS 1.0" here, whatever is negotiated later. */
const VERSION_OF_VERIFY = [0xfe, 0xff] as const;

export class CookieSecrets {
  /** KeyObjects: an HMAC keyed with plain bytes costs six times as much. */
  #current: KeyObject;
  #previous: KeyObject | undefined;

  /** `secret`: 32 random bytes. */
  constructor(secret: Uint8Array) {
    this.#current = createSecretKey(secret);
  }

  rotate(secret: Uint8Array): void {
    this.#previous = this.#current;
    this.#current = createSecretKey(secret);
  }

  /** `peer`: address and port the hello came from, and the local ones it came to. */
  isValid(hello: FirstHello, peer: string): boolean {
    if (hello.cookie.length !== COOKIE_LENGTH) return false;
    if (timingSafeEqual(cookieOf(this.#current, hello, peer), hello.cookie)) return true;
    return (
      this.#previous !== undefined && timingSafeEqual(cookieOf(this.#previous, hello, peer), hello.cookie)
    );
  }

  /**
   * The HelloVerifyRequest datagram: smaller than any hello, so that nothing is amplified. The record sequence number is
   * the hello's (RFC 6347 §4.2.1), the message number is 0.
   */
  request(hello: FirstHello, peer: string): Uint8Array {
    const cookie = cookieOf(this.#current, hello, peer);
    const bodyLength = VERSION_OF_VERIFY.length + 1 + COOKIE_LENGTH;
    const bodyAt = RECORD_HEADER_LENGTH + HANDSHAKE_HEADER_LENGTH;
    const datagram = new Uint8Array(bodyAt + bodyLength);
    datagram[0] = CONTENT_TYPE.handshake;
    datagram.set(VERSION_OF_VERIFY, 1);
    datagram.set(hello.recordSequence, 5);
    datagram[12] = HANDSHAKE_HEADER_LENGTH + bodyLength;
    datagram[13] = HELLO_VERIFY_REQUEST;
    datagram[16] = bodyLength;
    datagram[24] = bodyLength;
    datagram.set(VERSION_OF_VERIFY, bodyAt);
    datagram[bodyAt + 2] = COOKIE_LENGTH;
    datagram.set(cookie, bodyAt + 3);
    return datagram;
  }
}

function cookieOf(key: KeyObject, hello: FirstHello, peer: string): Uint8Array {
  return createHmac('sha256', key)
    .update(peer)
    .update('\n')
    .update(hello.claim)
    .digest()
    .subarray(0, COOKIE_LENGTH);
}
