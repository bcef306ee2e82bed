/**
 * Heartbeats of one session, for either end (RFC 9132 §4.7): when to send one, what to say in it, and when their absence
 * means something. The monitor only decides; who owns it sends.
 */
import type { Instant } from '../base/time.ts';
import type { SessionParameters } from './parameters.ts';

/** RFC 9132 §4.5.2: "heartbeat messages must not be sent more frequently than once every 15 seconds". */
export const SHORTEST_GAP_MS = 15_000;

/** A heartbeat that follows the peer's waits at most this long for the shortest gap to pass. */
const FOLLOW_WITHIN_MS = 1_000;

export type HeartbeatParameters = Pick<SessionParameters, 'heartbeatInterval' | 'missingHbAllowed'>;

export interface HeartbeatOptions {
  /**
   * A server stays with a session as long as any traffic comes from the peer (§4.7: "MUST NOT consider the DOTS signal
   * channel session disconnected"); a client concludes from unanswered heartbeats alone and judges by its own mode.
   */
  readonly role: 'client' | 'server';
  /** Always send right after the peer's heartbeat; otherwise only while the peer says that it receives none. */
  readonly followPeer: boolean;
  /** In [0, 1): spreads the first heartbeats of sessions that began together. */
  readonly spread: number;
}

export type HeartbeatDecision =
  | { readonly type: 'send'; readonly peerHbStatus: boolean }
  /** Once per silence: the allowance of consecutive misses is used up. */
  | { readonly type: 'exhausted' };

export class HeartbeatMonitor {
  readonly #options: HeartbeatOptions;
  #intervalMs = 0;
  #missingAllowed = 0;
  #nextSend: Instant | undefined;
  #lastSent: Instant | undefined;
  #answered = true;
  #missed = 0;
  #exhausted = false;
  #lastTraffic: Instant;
  /** Since when heartbeats of the peer are expected at the present interval, or the last one received after that. */
  #peerSeen: Instant;
  #following: boolean;

  constructor(options: HeartbeatOptions, parameters: HeartbeatParameters, now: Instant) {
    this.#options = options;
    this.#following = options.followPeer;
    this.#lastTraffic = now;
    this.#peerSeen = now;
    this.configure(parameters, now);
    if (this.#nextSend !== undefined) this.#nextSend -= (this.#intervalMs / 2) * options.spread;
  }

  /** Adopts the set in force; an interval of 0 disables heartbeats and every conclusion from them. */
  configure(parameters: HeartbeatParameters, now: Instant): void {
    this.#missingAllowed = parameters.missingHbAllowed;
    const intervalMs = parameters.heartbeatInterval * 1000;
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#peerSeen = now;
    this.#missed = 0;
    this.#answered = true;
    this.#nextSend = intervalMs === 0 ? undefined : Math.max(now, (this.#lastSent ?? now) + intervalMs);
  }

  /** Anything authentic from the peer, heartbeats and answers included. */
  trafficReceived(now: Instant): void {
    this.#lastTraffic = now;
    if (this.#options.role === 'server') this.#exhausted = false;
  }

  /** The peer answered a heartbeat, late or not: misses have to be consecutive. */
  answerReceived(): void {
    this.#answered = true;
    this.#missed = 0;
    this.#exhausted = false;
  }

  /**
   * A heartbeat of the peer. When it says that ours do not arrive, ours follow directly after its own from now on, while
   * the path is known to be open (§4.7: "send a server-initiated heartbeat immediately after").
   */
  heartbeatReceived(peerHbStatus: boolean, now: Instant): void {
    this.#peerSeen = now;
    this.#following = this.#options.followPeer || (this.#options.role === 'server' && !peerHbStatus);
    if (!this.#following || this.#nextSend === undefined) return;
    const allowed = (this.#lastSent ?? -Infinity) + SHORTEST_GAP_MS;
    if (allowed <= now + FOLLOW_WITHIN_MS) this.#nextSend = Math.max(now, allowed);
    else this.#nextSend = Math.max(this.#nextSend, now + this.#intervalMs + FOLLOW_WITHIN_MS);
  }

  /** "is (or is not) receiving heartbeat messages from its peer in the last (2 * 'heartbeat-interval') period" */
  peerHbStatus(now: Instant): boolean {
    return now - this.#peerSeen < 2 * this.#intervalMs;
  }

  /** Until when the peer may be silent before its session counts as lost; undefined while heartbeats are disabled. */
  get silenceAllowedUntil(): Instant | undefined {
    return this.#intervalMs === 0 ? undefined : this.#lastTraffic + this.#allowanceMs;
  }

  /** When `advance` has something to decide; undefined while heartbeats are disabled. */
  get deadline(): Instant | undefined {
    if (this.#nextSend === undefined || !this.#isExhaustible) return this.#nextSend;
    return Math.min(this.#nextSend, this.#lastTraffic + this.#allowanceMs);
  }

  /** What is due at `now`. A `send` counts as sent. */
  advance(now: Instant): HeartbeatDecision[] {
    if (this.#nextSend === undefined) return [];
    const decisions: HeartbeatDecision[] = [];
    if (now >= this.#nextSend) {
      if (!this.#answered) this.#missed++;
      decisions.push({ type: 'send', peerHbStatus: this.peerHbStatus(now) });
      this.#answered = false;
      this.#lastSent = now;
      // Following, the peer's next heartbeat comes first; should it not come, ours goes out a little later than usual.
      this.#nextSend = now + this.#intervalMs + (this.#following ? FOLLOW_WITHIN_MS : 0);
    }
    const silent = this.#options.role === 'client' || now - this.#lastTraffic >= this.#allowanceMs;
    if (this.#isExhaustible && silent) {
      this.#exhausted = true;
      decisions.push({ type: 'exhausted' });
    }
    return decisions;
  }

  get #isExhaustible(): boolean {
    return this.#missed >= this.#missingAllowed && !this.#exhausted;
  }

  /** "the time span required to exhaust the maximum 'missing-hb-allowed' threshold" */
  get #allowanceMs(): number {
    return this.#missingAllowed * this.#intervalMs;
  }
}
