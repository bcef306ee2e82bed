/** Requests and responses (RFC 7252 §5): which options are understood, and which response belongs to which request. */
import { utf8Encode } from '../base/bytes.ts';
import type { Instant } from '../base/time.ts';
import { RESPONSE } from './code.ts';
import type { ExchangeId } from './endpoint-io.ts';
import type { Message } from './message.ts';
import { OPTION } from './option-number.ts';
import { checkOptions } from './option-rules.ts';
import { uintOption } from './options.ts';
import type {
  AboveRequests,
  AboveTransport,
  Emit,
  Origin,
  PendingRequest,
  Sender,
  Transport,
} from './stack.ts';
import { Tokens } from './tokens.ts';

const MAX_HOP_LIMIT = 255;

export interface OutgoingRequest {
  readonly exchange: ExchangeId;
  readonly message: Omit<Message, 'token'>;
  readonly confirmable: boolean;
  /** Responses are handed up until it is forgotten: an observation (RFC 7641 §1.2). */
  readonly standing: boolean;
  /** The token of the observation to renew or cancel (RFC 7641 §3.3.1, §3.6). */
  readonly token?: Uint8Array | undefined;
  readonly expiresAt: Instant;
}

export class RequestLayer implements AboveTransport {
  readonly transport: Transport;
  readonly #above: AboveRequests;
  readonly #emit: Emit;
  readonly #tokens: Tokens<PendingRequest>;

  constructor(
    makeTransport: (above: AboveTransport) => Transport,
    random: () => number,
    above: AboveRequests,
    emit: Emit,
  ) {
    this.transport = makeTransport(this);
    this.#tokens = new Tokens(random);
    this.#above = above;
    this.#emit = emit;
  }

  request(message: Message, origin: Origin, now: Instant): void {
    const { options, badOption } = checkOptions(message);
    if (badOption !== undefined) {
      this.#trace(`critical option ${badOption} is not understood`);
      // RFC 7252 §5.4.1: 4.02 in answer to a Confirmable request; a Non-confirmable message is rejected.
      if (origin.confirmable)
        this.#refuse(message, origin, RESPONSE.badOption, `option ${badOption} is not understood`, now);
      else this.transport.reject(origin, now);
      return;
    }
    let hopLimit: number | undefined;
    for (const option of options) {
      if (option.number === OPTION.proxyUri || option.number === OPTION.proxyScheme) {
        // RFC 7252 §5.7.2
        this.#refuse(message, origin, RESPONSE.proxyingNotSupported, 'this server is no proxy', now);
        return;
      }
      if (option.number === OPTION.hopLimit) hopLimit = uintOption(options, OPTION.hopLimit);
    }
    if (hopLimit === 0 || (hopLimit ?? 0) > MAX_HOP_LIMIT) {
      // RFC 8768 §3: "set to '0' or greater than '255' MUST be rejected by a CoAP server/proxy using 4.00 (Bad Request)".
      this.#refuse(message, origin, RESPONSE.badRequest, 'Hop-Limit lies between 1 and 255', now);
      return;
    }
    this.#above.request(options === message.options ? message : { ...message, options }, origin, now);
  }

  response(message: Message, now: Instant): boolean {
    const pending = this.#tokens.get(message.token);
    if (pending === undefined) return false;
    const { options, badOption } = checkOptions(message);
    // A response to the renewal of an observation cannot be told from a notification: it is not settled by either.
    if (!pending.renewal) this.transport.settle(pending, now);
    if (!pending.standing || badOption !== undefined) this.#tokens.delete(message.token);
    if (badOption !== undefined) {
      this.#trace(`critical option ${badOption} of a response is not understood`);
      this.#above.undelivered(pending, 'malformed-response', now);
      return false;
    }
    this.#above.response(pending, options === message.options ? message : { ...message, options }, now);
    return true;
  }

  undelivered(sender: Sender, reason: 'timeout' | 'reset', now: Instant): void {
    if (sender.role === 'request') this.#release(sender);
    this.#above.undelivered(sender, reason, now);
  }

  /** Undefined when the transport takes no more requests. */
  send(request: OutgoingRequest, now: Instant): PendingRequest | undefined {
    const token = request.token ?? this.#tokens.make();
    const { exchange, confirmable, standing, expiresAt } = request;
    const pending: PendingRequest = {
      role: 'request',
      exchange,
      message: { ...request.message, token },
      confirmable,
      standing,
      renewal: request.token !== undefined,
      expiresAt,
      messageId: undefined,
    };
    this.#tokens.set(token, pending);
    if (this.transport.request(pending, now)) return pending;
    this.#release(pending);
    return undefined;
  }

  /** A further response to it is one nobody waits for. */
  forget(pending: PendingRequest, now: Instant): void {
    this.transport.settle(pending, now);
    this.#release(pending);
  }

  tick(now: Instant): void {
    const expired = [...this.#tokens.values()].filter(({ expiresAt }) => expiresAt <= now);
    for (const pending of expired) {
      this.forget(pending, now);
      this.#above.undelivered(pending, 'timeout', now);
    }
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { expiresAt } of this.#tokens.values())
      if (expiresAt !== Infinity && (earliest === undefined || expiresAt < earliest)) earliest = expiresAt;
    return earliest;
  }

  /** A renewal has taken the token over when it is not `pending` that holds it. */
  #release(pending: PendingRequest): void {
    const { token } = pending.message;
    if (this.#tokens.get(token) === pending) this.#tokens.delete(token);
  }

  #refuse(message: Message, origin: Origin, code: number, diagnostic: string, now: Instant): void {
    const answer = { code, token: message.token, options: [], payload: utf8Encode(diagnostic) };
    this.transport.respond(origin, answer, undefined, now);
  }

  #trace(detail: string): void {
    this.#emit({ type: 'trace', event: { kind: 'rejected', detail } });
  }
}
