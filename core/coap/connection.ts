/**
 * The message layer over TCP (RFC 8323): framing, the CSM first, ping, release and abort. TCP brings order and
 * reliability, so that there are no message ids, no types and no retransmission.
 */
import type { Instant } from '../base/time.ts';
import { formatCode } from './code.ts';
import type { CoapTrace } from './endpoint-io.ts';
import type { Message } from './message.ts';
import {
  BASE_MAX_MESSAGE_SIZE,
  CUSTODY,
  makeAbort,
  makeCsm,
  makePong,
  makeRelease,
  maxMessageSizeAfter,
  SIGNAL,
  unknownCritical,
} from './signaling.ts';
import type { AboveTransport, Emit, Observer, Origin, PendingRequest, Transport } from './stack.ts';
import { encodeTcp, TcpDecoder, tcpLength } from './tcp-message.ts';

/** How long a peer may take to say its CSM. */
const CSM_TIMEOUT_MS = 10_000;

/** Room for options and framing beside the largest body accepted. */
const OPTIONS_ALLOWANCE = 1024;

/** Pings that may wait for earlier requests at once; beyond it Custody is not honoured, which is allowed (§5.4.1). */
const MAX_CUSTODY_PINGS = 8;

interface CustodyPing {
  readonly message: Message;
  /** Answered when no request up to this one is open. */
  readonly after: number;
}

export class Connection implements Transport {
  readonly lengthOf = tcpLength;
  readonly #above: AboveTransport;
  readonly #emit: Emit;
  readonly #announcedSize: number;
  readonly #decoder: TcpDecoder;
  #state: 'new' | 'awaiting-csm' | 'open' | 'releasing' | 'closed' = 'new';
  #csmDueAt: Instant | undefined = -Infinity;
  #peerMaxMessage = BASE_MAX_MESSAGE_SIZE;
  #requests = 0;
  /** Requests without answer, the oldest first. */
  readonly #open = new Set<number>();
  #custodyPings: CustodyPing[] = [];

  constructor(maxBody: number, above: AboveTransport, emit: Emit) {
    this.#above = above;
    this.#emit = emit;
    this.#announcedSize = Math.max(BASE_MAX_MESSAGE_SIZE, maxBody + OPTIONS_ALLOWANCE);
    this.#decoder = new TcpDecoder(this.#announcedSize);
  }

  get maxMessage(): number {
    return this.#peerMaxMessage;
  }

  receive(bytes: Uint8Array, now: Instant): void {
    this.#introduce(now);
    if (this.#state === 'closed') return;
    const pushed = this.#decoder.push(bytes, (message) => {
      this.#received(message, now);
      return this.#state !== 'closed';
    });
    if (pushed.ok) return;
    this.#trace('malformed', pushed.error);
    // RFC 8323 §5.6: what over UDP would meet a Reset ends the connection here.
    this.#abort(`message format error: ${pushed.error}`);
  }

  #received(message: Message, now: Instant): void {
    if (this.#state === 'awaiting-csm' && message.code !== SIGNAL.csm) {
      // RFC 8323 §3.3: "Endpoints MUST treat a missing or invalid CSM as a connection error and abort the connection".
      this.#abort('the first message is not a CSM');
      return;
    }
    switch (message.code >> 5) {
      case 0:
        // RFC 8323 §3.4: "Empty messages (Code 0.00) can always be sent and MUST be ignored by the recipient."
        if (message.code !== 0) this.#request(message, now);
        break;
      case 7:
        this.#signal(message);
        break;
      case 2:
      case 4:
      case 5:
        if (!this.#above.response(message, now)) this.#trace('unknown-message', 'response');
        break;
      default:
        this.#abort(`code ${formatCode(message.code)} is reserved`);
    }
  }

  #request(message: Message, now: Instant): void {
    const messageId = ++this.#requests;
    this.#open.add(messageId);
    this.#above.request(message, { confirmable: true, messageId }, now);
  }

  #signal(message: Message): void {
    const critical = unknownCritical(message);
    if (critical !== undefined && message.code !== SIGNAL.abort) {
      const badCsmOption = message.code === SIGNAL.csm ? critical : undefined;
      this.#abort(
        `critical option ${critical} of ${formatCode(message.code)} is not understood`,
        badCsmOption,
      );
      return;
    }
    switch (message.code) {
      case SIGNAL.csm:
        this.#peerMaxMessage = maxMessageSizeAfter(message.options, this.#peerMaxMessage);
        this.#csmDueAt = undefined;
        if (this.#state === 'awaiting-csm') this.#state = 'open';
        break;
      case SIGNAL.ping:
        this.#ping(message);
        break;
      case SIGNAL.release:
        this.#state = 'releasing';
        this.#closeWhenAnswered();
        break;
      case SIGNAL.abort:
        this.#close('the peer aborted the connection');
        break;
      case SIGNAL.pong:
        break;
      default:
        this.#abort(`signaling code ${formatCode(message.code)} is not known`);
    }
  }

  /** RFC 8323 §5.4.1: with Custody the Pong says that everything before the Ping has been processed. */
  #ping(message: Message): void {
    const custody = message.options.some(({ number }) => number === CUSTODY);
    if (custody && this.#open.size > 0 && this.#custodyPings.length < MAX_CUSTODY_PINGS)
      this.#custodyPings.push({ message, after: this.#requests });
    else this.#transmit(makePong(message));
  }

  /** RFC 8323 §3.3: no waiting for the other side's CSM. A peer after its Release gets no more requests (§5.5). */
  request(pending: PendingRequest, now: Instant): boolean {
    this.#introduce(now);
    if (this.#state === 'releasing' || this.#state === 'closed') return false;
    this.#transmit(pending.message);
    return true;
  }

  settle(): void {
    return;
  }

  respond(origin: Origin, message: Message): void {
    if (this.#state === 'closed') return;
    this.#transmit(message);
    this.#answered(origin);
  }

  ignore(origin: Origin): void {
    this.#answered(origin);
  }

  reject(origin: Origin): void {
    this.#answered(origin);
  }

  notify(_observer: Observer, message: Message): void {
    if (this.#state !== 'closed') this.#transmit(message);
  }

  release(now: Instant): void {
    this.#introduce(now);
    if (this.#state === 'closed') return;
    this.#transmit(makeRelease());
    this.#close('released');
  }

  /** TCP retransmits by itself (RFC 9132 §4.5: not negotiated over TCP). */
  setParameters(): void {
    return;
  }

  tick(now: Instant): void {
    this.#introduce(now);
    if (this.#state === 'closed' || this.#csmDueAt === undefined || this.#csmDueAt > now) return;
    this.#abort('no CSM came in time');
  }

  get deadline(): Instant | undefined {
    return this.#state === 'closed' ? undefined : this.#csmDueAt;
  }

  /** RFC 8323 §3.3: "each endpoint MUST send a CSM … as its first message on the connection". */
  #introduce(now: Instant): void {
    if (this.#state !== 'new') return;
    this.#state = 'awaiting-csm';
    this.#csmDueAt = now + CSM_TIMEOUT_MS;
    this.#transmit(makeCsm(this.#announcedSize));
  }

  #answered(origin: Origin): void {
    this.#open.delete(origin.messageId);
    const [oldest = Infinity] = this.#open;
    const due = this.#custodyPings.filter(({ after }) => after < oldest);
    this.#custodyPings = this.#custodyPings.slice(due.length);
    for (const { message } of due) this.#transmit(makePong(message));
    this.#closeWhenAnswered();
  }

  /** RFC 8323 §5.5: requests received before the Release are answered first. */
  #closeWhenAnswered(): void {
    if (this.#state === 'releasing' && this.#open.size === 0) this.#close('the peer released the connection');
  }

  #abort(diagnostic: string, badCsmOption?: number): void {
    this.#transmit(makeAbort(diagnostic, badCsmOption));
    this.#close(diagnostic);
  }

  #close(reason: string): void {
    this.#state = 'closed';
    this.#emit({ type: 'close', reason });
  }

  #transmit(message: Message): void {
    this.#emit({ type: 'transmit', bytes: encodeTcp(message) });
  }

  #trace(kind: CoapTrace['kind'], detail: string): void {
    this.#emit({ type: 'trace', event: { kind, detail } });
  }
}
