/**
 * One peer from its handshake to its end: authorized once, then served; heartbeats in both directions touch nothing but
 * memory (RFC 9132 §4.5, §4.7).
 */
import type { EndpointDriver, EndpointHandle } from '#adapters/endpoint-driver/endpoint-handle.ts';
import type { EpochSeconds, Instant } from '#core/base/time.ts';
import { formatCode } from '#core/coap/code.ts';
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { Request } from '#core/coap/message.ts';
import type { Cuid, IdentityId } from '#core/model/identifiers.ts';
import type { Random } from '#core/ports/clock.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { isDerivedCuid } from '#core/server/derived-cuid.ts';
import type { RateBucket } from '#core/server/rate-limit.ts';
import { route } from '#core/server/router.ts';
import { HeartbeatMonitor } from '#core/session/heartbeat.ts';
import { inForce } from '#core/session/negotiate.ts';
import { nextSessionState, type SessionEvent, type SessionState } from '#core/session/session-machine.ts';
import { DEFAULT_TRANSMISSION, toTransmission } from '#core/session/transmission.ts';
import type { SignalError } from '#core/signal/protocol-error.ts';
import { Authorization, type Grant } from './authorization.ts';
import type { Counters } from './counters.ts';
import { HEARTBEAT_ANSWER, heartbeatRequest } from './heartbeat.ts';
import type { Peer } from './peer.ts';
import { type Reply, refuse, UNAVAILABLE } from './reply.ts';
import { type ServeDeps, type ServedOperation, serve } from './serve.ts';
import type { ServerSettings } from './settings.ts';
import { errorText, type SignalLog } from './signal-event.ts';
import { tapTraffic } from './traffic-tap.ts';

/** Requests that wait for the authorizer's first answer. */
const MOST_HELD = 32;
/** A refused peer is told so for this long, then the session ends; in milliseconds. */
const REFUSED_FOR_MS = 30_000;

export interface SessionDeps extends ServeDeps {
  readonly functions: Pick<Functions, 'authorize'>;
  readonly driver: EndpointDriver;
  readonly random: Pick<Random, 'fraction'>;
  readonly settings: ServerSettings;
  readonly counters: Counters;
  readonly log: SignalLog;
  readonly bucketOf: (session: SecureSession) => RateBucket | undefined;
  readonly isMitigating: (peer: Peer) => boolean;
}

/** What the server wants to know of each session. */
export interface SessionOwner {
  opened(session: SignalSession, peer: Peer): void;
  lost(session: SignalSession, peer: Peer): void;
  /** `peer` is absent when the session was never authorized. */
  closed(session: SignalSession, peer: Peer | undefined, reason: string): void;
}

interface Held {
  readonly exchange: ExchangeId;
  readonly request: Request;
  readonly observes: boolean;
}

export class SignalSession {
  readonly number: number;
  readonly identityId: IdentityId;
  readonly #session: SecureSession;
  readonly #deps: SessionDeps;
  readonly #owner: SessionOwner;
  readonly #handle: EndpointHandle;
  readonly #authorization: Authorization;
  #bucket: RateBucket | undefined;
  #state: SessionState = 'connecting';
  #grant: Grant | undefined;
  #peer: Peer | undefined;
  #monitor: HeartbeatMonitor | undefined;
  #refusal: SignalError | undefined;
  #closeAt: Instant = Infinity;
  #held: Held[] = [];
  #toldOfCuid = false;

  constructor(number: number, session: SecureSession, deps: SessionDeps, owner: SessionOwner) {
    this.number = number;
    this.identityId = session.credential.identityId;
    this.#session = session;
    this.#deps = deps;
    this.#owner = owner;
    this.#authorization = new Authorization(this.identityId, (request) => deps.functions.authorize(request));
    const { settings, random } = deps;
    this.#handle = deps.driver.attach(
      tapTraffic(session, () => this.#trafficReceived()),
      {
        transport: session.transport,
        parameters: DEFAULT_TRANSMISSION,
        maxPayload: session.maxPayload,
        maxBody: settings.maxBody,
        separateAfterMs: settings.separateAfterMs,
        random: () => random.fraction(),
      },
      {
        request: (exchange, request, observe) =>
          this.#request({ exchange, request, observes: observe === 'register' }),
        response: () => this.#monitor?.answerReceived(),
        // A heartbeat without an answer counts when the next one is due.
        failed: () => undefined,
        observerGone: (exchange) => this.#peer && deps.observers.remove(this.#peer, exchange),
        closed: (reason) => this.#closed(reason),
        trace: () => undefined,
      },
    );
    void this.#authorize();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Authorized, and not silent for longer than its heartbeats allow. */
  get isHeard(): boolean {
    return this.#state === 'idle' || this.#state === 'mitigating';
  }

  /** Until when the peer may be silent, had it not closed the session; undefined when silence means nothing (S-340). */
  get silenceAllowedUntil(): Instant | undefined {
    return this.#monitor?.silenceAllowedUntil;
  }

  /** Something in the configuration of this identity, or the activity of its mitigations, is another. */
  adopt(): void {
    if (this.#peer === undefined) return;
    this.#enter(this.#deps.isMitigating(this.#peer) ? 'mitigationActive' : 'mitigationOver');
    const installed = this.#deps.configurations.get(this.identityId);
    const sets = inForce(installed, this.#session.transport);
    const parameters = this.#state === 'mitigating' ? sets.mitigating : sets.idle;
    const now = this.#now();
    this.#monitor?.configure(parameters, now);
    this.#monitor ??= new HeartbeatMonitor(
      {
        role: 'server',
        followPeer: this.#deps.settings.followHeartbeats,
        spread: this.#deps.random.fraction(),
      },
      parameters,
      now,
    );
    this.#handle.setParameters(toTransmission(parameters));
  }

  tick(now: Instant, wall: EpochSeconds): void {
    const { credential } = this.#session;
    if (this.#state === 'closed') return;
    if (credential.kind === 'certificate' && credential.notAfter <= wall) this.close();
    else if (now >= this.#closeAt) this.close();
    else {
      if (this.#refusal === undefined && this.#authorization.isDue(now)) void this.#authorize();
      this.#advance(now);
    }
  }

  /** Tells the peer by close_notify. */
  close(): void {
    this.#handle.close();
  }

  async #authorize(): Promise<void> {
    try {
      const standing = await this.#authorization.ask(this.#now());
      if (standing.status === 'granted') await this.#granted(standing.grant);
      else this.#refused(standing.reason);
    } catch (error) {
      this.#deps.log({
        event: 'authorization-failed',
        identityId: this.identityId,
        error: errorText(error),
      });
      for (const { exchange } of this.#held.splice(0)) this.#reply(exchange, refuse(UNAVAILABLE));
    }
  }

  async #granted(grant: Grant): Promise<void> {
    if (this.#grant !== undefined) {
      // What the session was opened as is not what the identity is now: it has to come again.
      if (grant.domainId !== this.#grant.domainId || grant.role !== this.#grant.role) this.close();
      return;
    }
    const { configurations } = this.#deps;
    const installed = await configurations.read(this.identityId);
    if (this.#state !== 'connecting') return;
    configurations.keep(this.identityId, installed);
    this.#bucket = this.#deps.bucketOf(this.#session);
    this.#grant = grant;
    this.#peer = {
      identityId: this.identityId,
      domainId: grant.domainId,
      transport: this.#session.transport,
      isOpen: () => this.#state !== 'closed',
      notify: (exchange, response, last) => this.#handle.notify(exchange, response, last),
    };
    this.#state = nextSessionState(this.#state, 'authorized');
    this.#deps.counters.sessionsOpened++;
    this.#deps.log({
      event: 'session-opened',
      session: this.number,
      identityId: this.identityId,
      domainId: grant.domainId,
      role: grant.role,
      transport: this.#session.transport,
      remote: this.#remote,
      resumed: this.#session.resumed,
    });
    this.#owner.opened(this, this.#peer);
    this.adopt();
    for (const held of this.#held.splice(0)) this.#request(held);
  }

  #refused(reason: string): void {
    if (this.#peer !== undefined) {
      this.close();
      return;
    }
    this.#deps.counters.sessionsRefused++;
    this.#deps.log({
      event: 'session-refused',
      session: this.number,
      identityId: this.identityId,
      remote: this.#remote,
      reason,
    });
    this.#refusal = {
      code: 'unauthorized',
      why: 'this identity is not a client of this service (RFC 9132 §9)',
    };
    this.#closeAt = this.#now() + REFUSED_FOR_MS;
    for (const held of this.#held.splice(0)) this.#request(held);
  }

  #request(asked: Held): void {
    const peer = this.#peer;
    if (this.#refusal !== undefined) this.#reply(asked.exchange, refuse(this.#refusal));
    else if (peer !== undefined) this.#serve(asked, peer);
    else if (this.#held.length < MOST_HELD) this.#held.push(asked);
    else this.#reply(asked.exchange, refuse(UNAVAILABLE));
  }

  #serve(asked: Held, peer: Peer): void {
    const now = this.#now();
    const routed = route(asked.request, { trustsCdid: this.#grant?.role === 'gateway' });
    const operation = routed.ok ? routed.value : undefined;
    if (operation?.type === 'put-heartbeat') {
      this.#deps.counters.heartbeatsReceived++;
      this.#monitor?.heartbeatReceived(operation.peerHbStatus, now);
      this.#handle.respond(asked.exchange, HEARTBEAT_ANSWER);
      this.#advance(now);
      return;
    }
    this.#deps.counters.requests++;
    const waitSeconds = this.#bucket?.take(now) ?? 0;
    if (waitSeconds > 0) {
      const limit = { code: 'limit', why: 'too many requests', retryAfterSeconds: waitSeconds } as const;
      this.#reply(asked.exchange, refuse(limit));
    } else if (!routed.ok) this.#reply(asked.exchange, refuse(routed.error));
    else if (operation !== undefined) {
      if (operation.type === 'put-mitigate') this.#lookAtCuid(operation.cuid);
      void this.#answer(operation, asked, peer);
    }
  }

  /** A gateway speaks for clients whose keys are not seen here. */
  #lookAtCuid(cuid: Cuid): void {
    const { identityId } = this;
    if (this.#toldOfCuid || this.#grant?.role !== 'client' || isDerivedCuid(cuid, identityId)) return;
    this.#toldOfCuid = true;
    this.#deps.log({ event: 'cuid-not-derived', session: this.number, identityId });
  }

  async #answer(operation: ServedOperation, { exchange, observes }: Held, peer: Peer): Promise<void> {
    const sent = { reply: false };
    const reply = (made: Reply): void => {
      sent.reply = true;
      this.#reply(exchange, made);
    };
    try {
      await serve(operation, { exchange, observes, reply }, peer, this.#deps);
    } catch (error) {
      this.#deps.log({ event: 'request-failed', identityId: this.identityId, error: errorText(error) });
      if (!sent.reply) reply(refuse(UNAVAILABLE));
    }
  }

  #reply(exchange: ExchangeId, reply: Reply): void {
    if (reply.type === 'silence') {
      this.#handle.ignore(exchange);
      return;
    }
    const { responses } = this.#deps.counters;
    const code = formatCode(reply.response.code);
    responses.set(code, (responses.get(code) ?? 0) + 1);
    this.#handle.respond(exchange, reply.response);
  }

  #trafficReceived(): void {
    this.#monitor?.trafficReceived(this.#now());
    if (this.#state !== 'lost') return;
    this.#enter('trafficReceived');
    this.adopt();
  }

  #advance(now: Instant): void {
    const monitor = this.#monitor;
    if (monitor?.deadline === undefined || monitor.deadline > now) return;
    for (const decision of monitor.advance(now)) {
      if (decision.type === 'send') {
        this.#deps.counters.heartbeatsSent++;
        this.#handle.send(heartbeatRequest(decision.peerHbStatus));
      } else if (this.#peer !== undefined && this.#enter('heartbeatsExhausted')) {
        this.#deps.counters.sessionsLost++;
        this.#owner.lost(this, this.#peer);
      }
    }
  }

  #closed(reason: string): void {
    const peer = this.#peer;
    this.#enter('ended');
    this.#held = [];
    if (peer !== undefined) {
      this.#deps.observers.removePeer(peer);
      this.#deps.log({
        event: 'session-closed',
        session: this.number,
        identityId: this.identityId,
        reason,
      });
    }
    this.#owner.closed(this, peer, reason);
  }

  /** True when the state is another one. */
  #enter(event: SessionEvent): boolean {
    const from = this.#state;
    const to = nextSessionState(from, event);
    if (from === to) return false;
    this.#state = to;
    if (to !== 'closed')
      this.#deps.log({
        event: 'session-state',
        session: this.number,
        identityId: this.identityId,
        from,
        to,
      });
    return true;
  }

  #now(): Instant {
    return this.#deps.clock.monotonic();
  }

  get #remote(): string {
    const { address, port } = this.#session.remote;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  }
}
