/**
 * A client's end of one signal-channel session: requests repeated until they are answered (RFC 9132 §4.4), observations,
 * and heartbeats both ways (§4.7).
 */
import type {
  EndpointDriver,
  EndpointHandle,
  EndpointHandlers,
} from '#adapters/endpoint-driver/endpoint-handle.ts';
import { EMPTY } from '#core/base/bytes.ts';
import type { Result } from '#core/base/result.ts';
import { GAP_WITHOUT_ESTIMATE_MS } from '#core/client/repetition.ts';
import { putHeartbeat } from '#core/client/requests.ts';
import { RoundTrip } from '#core/client/round-trip.ts';
import { RESPONSE } from '#core/coap/code.ts';
import type { ExchangeId, FailureReason } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { textOptions } from '#core/coap/options.ts';
import type { Clock, Random } from '#core/ports/clock.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { HeartbeatMonitor } from '#core/session/heartbeat.ts';
import { DEFAULT_PARAMETERS } from '#core/session/parameters.ts';
import { DEFAULT_TRANSMISSION } from '#core/session/transmission.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import { decodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { invalid } from '#core/signal/protocol-error.ts';
import { parseSignalPath } from '#core/signal/uri-path.ts';
import { Call } from './call.ts';
import type { ExchangeOwner, Link } from './link.ts';
import { type Notify, Observation } from './observation.ts';
import { PacedQueue } from './paced-queue.ts';

export interface SignalSessionOptions {
  readonly session: SecureSession;
  readonly driver: EndpointDriver;
  readonly clock: Clock;
  readonly random: Random;
  /** The machine's timers unless given. */
  readonly after?: Link['after'];
  /** An upper bound of the round trip that is already known, in milliseconds. */
  readonly roundTripMs?: number;
  /** Told once per silence: heartbeats have gone unanswered for the whole allowance. */
  readonly onSilence?: () => void;
  /** The session is over, by either side. */
  readonly onClosed?: (reason: string) => void;
}

/** Bytes of an answer: a list of some ten thousand mitigations. */
const MAX_BODY = 4 * 1024 * 1024;
/** Below the peer's ACK_TIMEOUT of 2 s. */
const SEPARATE_AFTER_MS = 1_000;

const machineTimer: Link['after'] = (delayMs, work) => {
  const timer = setTimeout(work, Math.max(0, Math.ceil(delayMs)));
  return () => clearTimeout(timer);
};

export class SignalSession {
  readonly #options: SignalSessionOptions;
  readonly #handle: EndpointHandle;
  readonly #owners = new Map<ExchangeId, ExchangeOwner>();
  readonly #heartbeats: HeartbeatMonitor;
  readonly #link: Link;
  readonly #queue: PacedQueue;
  #cancelHeartbeat: () => void = () => undefined;

  constructor(options: SignalSessionOptions) {
    const { session, driver, clock, random } = options;
    this.#options = options;
    const roundTrip = new RoundTrip();
    if (options.roundTripMs !== undefined) roundTrip.sample(options.roundTripMs);
    this.#link = this.#makeLink(roundTrip);
    this.#queue = this.#makeQueue(this.#link);
    this.#heartbeats = new HeartbeatMonitor(
      { role: 'client', followPeer: false, spread: random.fraction() },
      DEFAULT_PARAMETERS,
      clock.monotonic(),
    );
    const endpointOptions = {
      transport: session.transport,
      parameters: DEFAULT_TRANSMISSION,
      maxPayload: session.maxPayload,
      maxBody: MAX_BODY,
      separateAfterMs: SEPARATE_AFTER_MS,
      random: () => random.fraction(),
    };
    this.#handle = driver.attach(session, endpointOptions, this.#handlers());
    this.#armHeartbeat();
  }

  /** The response, or why there is none within `giveUpAfterMs`. */
  request(request: Request, giveUpAfterMs: number): Promise<Result<Response, FailureReason>> {
    return new Call(this.#link, request, giveUpAfterMs).done;
  }

  /** `makeRequest` is asked for the registration (0), its renewals, and the cancellation (1). */
  observe(makeRequest: (observe: 0 | 1) => Request, notify: Notify): Observation {
    return new Observation(this.#link, makeRequest, notify);
  }

  /** Closes the session; what is open fails with `closed`. */
  close(): void {
    this.#handle.close();
  }

  #makeLink(roundTrip: RoundTrip): Link {
    return {
      roundTrip,
      repeatsRequests: this.#isDatagram,
      fraction: () => this.#options.random.fraction(),
      now: () => this.#options.clock.monotonic(),
      after: this.#options.after ?? machineTimer,
      pace: (work) => this.#queue.add(work),
      send: (owner, request, again) => {
        const exchange = this.#handle.send(request, again);
        this.#owners.set(exchange, owner);
        return exchange;
      },
      release: (exchange) => {
        if (this.#owners.delete(exchange)) this.#handle.forget(exchange);
      },
    };
  }

  #makeQueue({ now, after, roundTrip }: Link): PacedQueue {
    const gapMs = (): number => (this.#isDatagram ? (roundTrip.estimateMs ?? GAP_WITHOUT_ESTIMATE_MS) : 0);
    return new PacedQueue({ now, after, gapMs });
  }

  get #isDatagram(): boolean {
    return this.#options.session.transport === 'udp';
  }

  #handlers(): EndpointHandlers {
    return {
      request: (exchange, request) => {
        this.#heartbeats.trafficReceived(this.#link.now());
        this.#handle.respond(exchange, this.#answer(request));
        this.#armHeartbeat();
      },
      response: (exchange, response, more) => {
        this.#heartbeats.trafficReceived(this.#link.now());
        const owner = this.#owners.get(exchange);
        if (!more) this.#owners.delete(exchange);
        owner?.response(exchange, response, more);
      },
      failed: (exchange, reason) => {
        // A send may fail before it has returned the exchange to its owner.
        queueMicrotask(() => {
          const owner = this.#owners.get(exchange);
          this.#owners.delete(exchange);
          owner?.failed(exchange, reason);
        });
      },
      observerGone: () => undefined,
      closed: (reason) => {
        this.#cancelHeartbeat();
        this.#queue.open();
        this.#options.onClosed?.(reason);
      },
      trace: () => undefined,
    };
  }

  /** A client serves one resource, the server's heartbeats. */
  #answer(request: Request): Response {
    const segments = textOptions(request.options, OPTION.uriPath) ?? [];
    const route = parseSignalPath(segments, request.code);
    if (!route.ok) return errorResponse(route.error);
    if (route.value.resource !== 'hb') return errorResponse({ code: 'not-found', what: 'this path' });
    const body = decodeHeartbeat(request.payload);
    if (!body.ok) return errorResponse(invalid(body.error));
    this.#heartbeats.heartbeatReceived(body.value.peerHbStatus, this.#link.now());
    return { code: RESPONSE.changed, options: [], payload: EMPTY };
  }

  #armHeartbeat(): void {
    this.#cancelHeartbeat();
    const { deadline } = this.#heartbeats;
    if (deadline === undefined) return;
    this.#cancelHeartbeat = this.#link.after(deadline - this.#link.now(), () => this.#beat());
  }

  #beat(): void {
    for (const decision of this.#heartbeats.advance(this.#link.now())) {
      if (decision.type === 'exhausted') this.#options.onSilence?.();
      else this.#sendHeartbeat(decision.peerHbStatus);
    }
    this.#armHeartbeat();
  }

  /**
   * Once: a heartbeat that goes unanswered is a miss, not something to repeat (§4.7). It takes its turn like any request,
   * and its answer is a sample of the round trip: a client that has been idle knows it when an attack begins.
   */
  #sendHeartbeat(peerHbStatus: boolean): void {
    this.#link.pace(() => {
      const sentAt = this.#link.now();
      this.#link.send(
        {
          response: () => {
            this.#heartbeats.answerReceived();
            this.#link.roundTrip.sample(this.#link.now() - sentAt);
          },
          failed: () => undefined,
        },
        putHeartbeat(peerHbStatus),
      );
    });
  }
}
