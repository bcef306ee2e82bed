/** Observe (RFC 7641): who is registered with us, and which notification from the peer is the freshest. */

import { equalBytes } from '../base/bytes.ts';
import type { Instant } from '../base/time.ts';
import { METHOD } from './code.ts';
import type { ExchangeId } from './endpoint-io.ts';
import type { CoapOption } from './message.ts';
import { OPTION } from './option-number.ts';
import { makeUintOption, uintOption } from './options.ts';
import type { Observer } from './stack.ts';

/** Registrations per session: a DOTS client observes its mitigations and its configuration. */
const MAX_OBSERVERS = 64;

const SEQUENCE_BITS = 24;
const HALF = 2 ** (SEQUENCE_BITS - 1);
/** RFC 7641 §3.4: from this age on any notification is newer. */
const REORDERING_LIMIT_MS = 128_000;

const REGISTER = 0;
const DEREGISTER = 1;

/** What a request asks for; other values and methods mean nothing (RFC 7641 §2). */
export function observeRequest(
  code: number,
  options: readonly CoapOption[],
): 'register' | 'deregister' | undefined {
  if (code !== METHOD.get && code !== METHOD.fetch) return undefined;
  const value = uintOption(options, OPTION.observe);
  return value === REGISTER ? 'register' : value === DEREGISTER ? 'deregister' : undefined;
}

/** The registrations of one session, by token and by exchange. */
export class Observers {
  readonly #observers = new Map<ExchangeId, Observer>();
  /** RFC 7641 §4.4: strictly increasing; one count for all registrations keeps a renewed one in order too. */
  #sequence: number;

  constructor(sequence = 0) {
    this.#sequence = sequence;
  }

  /** False when the table is full. */
  add(observer: Observer): boolean {
    if (this.#observers.size >= MAX_OBSERVERS) return false;
    this.#observers.set(observer.exchange, observer);
    return true;
  }

  get(exchange: ExchangeId): Observer | undefined {
    return this.#observers.get(exchange);
  }

  findByToken(token: Uint8Array): Observer | undefined {
    for (const observer of this.#observers.values()) if (equalBytes(observer.token, token)) return observer;
    return undefined;
  }

  /** True when it was there. */
  remove(exchange: ExchangeId): boolean {
    return this.#observers.delete(exchange);
  }

  exchanges(): ExchangeId[] {
    return [...this.#observers.keys()];
  }

  /** The Observe option of the next notification. */
  nextNumber(): CoapOption {
    this.#sequence = (this.#sequence + 1) % 2 ** SEQUENCE_BITS;
    return makeUintOption(OPTION.observe, this.#sequence);
  }
}

export interface Notified {
  readonly sequence: number;
  readonly at: Instant;
}

/**
 * RFC 7641 §3.4: `(V1 < V2 and V2 - V1 < 2^23) or (V1 > V2 and V1 - V2 > 2^23) or (T2 > T1 + 128 seconds)`.
 */
export function isFresher(next: Notified, latest: Notified): boolean {
  const [v1, v2] = [latest.sequence, next.sequence];
  return (
    (v1 < v2 && v2 - v1 < HALF) || (v1 > v2 && v1 - v2 > HALF) || next.at > latest.at + REORDERING_LIMIT_MS
  );
}
