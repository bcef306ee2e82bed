/**
 * Every observation of this process, and the one loop that reads for them (RFC 9132 §4.4.2.1; RFC 7641). Observed records
 * are read every 3 seconds while they may change, else every 15, and at once when the store says that something did.
 */
import type { Instant } from '#core/base/time.ts';
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { Response } from '#core/coap/message.ts';
import type { DomainId, IdentityId, Sid } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { WatchedMitigation } from '#core/ports/store.ts';
import { mayNotify, mostUrgent, SHORTEST_PAUSE_MS, type Urgency } from '#core/server/notification-pace.ts';
import {
  beginTold,
  isInTransition,
  type Notification,
  PERIOD_MS,
  planNotification,
  type Told,
} from '#core/server/notification-plan.ts';
import type { ContentFilter } from '#core/signal/bodies.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import { encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { notFound } from './get-mitigate.ts';
import type { Peer } from './peer.ts';
import { content } from './reply.ts';
import { errorText, type SignalLog } from './signal-event.ts';
import { type ReadStore, readWatched, type Subject } from './watched-mitigations.ts';

interface MitigationObservation {
  readonly type: 'mitigations';
  readonly peer: Peer;
  readonly exchange: ExchangeId;
  readonly subject: Subject;
  readonly filter: ContentFilter;
  told: Told;
  /** Read again at this time at the latest. */
  readAt: Instant;
  /** The count of changes up to which nothing is left to be told. */
  settledAt: number;
}

interface ConfigObservation {
  readonly type: 'config';
  readonly peer: Peer;
  readonly exchange: ExchangeId;
  readonly sid: Sid | undefined;
  toldAt: Instant;
  changed: boolean;
}

type Observation = MitigationObservation | ConfigObservation;

/** One thing that could be sent to a peer now. */
interface Offer {
  readonly urgency: Urgency;
  readonly toldAt: Instant;
  send(): void;
}

/** Reading takes at most this share of the time: 1 in so many. */
const READING_SHARE = 5;

export interface ObserversDeps {
  readonly store: ReadStore;
  readonly clock: Clock;
  readonly log: SignalLog;
  readonly configResponse: (peer: Peer, sid: Sid | undefined) => Response;
  readonly notified: () => void;
}

export class Observers {
  readonly #deps: ObserversDeps;
  readonly #byPeer = new Map<Peer, Map<ExchangeId, Observation>>();
  readonly #lastNotified = new WeakMap<Peer, Instant>();
  /** Counts what the store told of, of which it does not say whose it was. */
  #changes = 0;
  /** Counts what is known to have changed in a domain. */
  readonly #domainChanges = new Map<DomainId, number>();
  #sweeping = false;
  #nextSweep: Instant = -Infinity;

  constructor(deps: ObserversDeps) {
    this.#deps = deps;
  }

  /** `watched` is what the answer to the registration has shown. */
  addMitigations(
    peer: Peer,
    exchange: ExchangeId,
    filter: ContentFilter,
    shown: { readonly subject: Subject; readonly watched: readonly WatchedMitigation[] },
  ): void {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    this.#add({
      type: 'mitigations',
      peer,
      exchange,
      filter,
      subject: shown.subject,
      told: beginTold(shown.watched, clock.epochSeconds(), now),
      // What changed between the read and now is found by the first look.
      readAt: now,
      settledAt: -1,
    });
    this.#lastNotified.set(peer, now);
  }

  addConfig(peer: Peer, exchange: ExchangeId, sid: Sid | undefined): void {
    const toldAt = this.#deps.clock.monotonic();
    this.#add({ type: 'config', peer, exchange, sid, toldAt, changed: false });
  }

  remove(peer: Peer, exchange: ExchangeId): void {
    const observations = this.#byPeer.get(peer);
    observations?.delete(exchange);
    if (observations?.size === 0) this.#byPeer.delete(peer);
  }

  removePeer(peer: Peer): void {
    this.#byPeer.delete(peer);
  }

  get size(): number {
    let count = 0;
    for (const observations of this.#byPeer.values()) count += observations.size;
    return count;
  }

  configChanged(identityId: IdentityId): void {
    for (const [peer, observations] of this.#byPeer) {
      if (peer.identityId !== identityId) continue;
      for (const each of observations.values()) if (each.type === 'config') each.changed = true;
    }
  }

  storeChanged(): void {
    this.#changes++;
  }

  domainChanged(domainId: DomainId): void {
    this.#domainChanges.set(domainId, (this.#domainChanges.get(domainId) ?? 0) + 1);
  }

  /** Reads for whom it is time, and sends each peer at most one notification. Called often, cheap when nothing is due. */
  async sweep(): Promise<void> {
    const now = this.#deps.clock.monotonic();
    if (this.#sweeping || now < this.#nextSweep) return;
    const ready = [...this.#byPeer].filter(([peer]) => mayNotify(this.#lastNotified.get(peer), now));
    const due = ready
      .flatMap(([, observations]) => [...observations.values()])
      .filter((each) => this.#isDue(each, now));
    if (due.length === 0) return;
    this.#sweeping = true;
    try {
      await this.#read(due);
      const finished = this.#deps.clock.monotonic();
      this.#nextSweep = finished + (finished - now) * (READING_SHARE - 1);
    } catch (error) {
      this.#nextSweep = now + SHORTEST_PAUSE_MS;
      this.#deps.log({ event: 'store-failed', during: 'watched', error: errorText(error) });
    } finally {
      this.#sweeping = false;
    }
  }

  #add(observation: Observation): void {
    const { peer, exchange } = observation;
    if (!peer.isOpen()) return;
    const observations = this.#byPeer.get(peer) ?? new Map<ExchangeId, Observation>();
    observations.set(exchange, observation);
    this.#byPeer.set(peer, observations);
  }

  #isDue(observation: Observation, now: Instant): boolean {
    if (observation.type === 'config') return observation.changed;
    return observation.settledAt < this.#changesOf(observation.peer) || observation.readAt <= now;
  }

  #changesOf({ domainId }: Peer): number {
    return this.#changes + (this.#domainChanges.get(domainId) ?? 0);
  }

  async #read(due: readonly Observation[]): Promise<void> {
    const observed = due.filter((each) => each.type === 'mitigations');
    const changes = observed.map(({ peer }) => this.#changesOf(peer));
    const found = await readWatched(
      this.#deps.store,
      observed.map(({ subject }) => subject),
    );
    const offers = new Map<Peer, Offer[]>();
    const offer = (peer: Peer, made: Offer): void => {
      const others = offers.get(peer);
      if (others === undefined) offers.set(peer, [made]);
      else others.push(made);
    };
    for (const each of due) if (each.type === 'config') offer(each.peer, this.#offerConfig(each));
    for (const [index, each] of observed.entries()) {
      const made = this.#offerMitigations(each, found[index] ?? [], changes[index] ?? 0);
      if (made !== undefined) offer(each.peer, made);
    }
    for (const [peer, made] of offers) {
      // Gone while the store was read.
      if (!this.#byPeer.has(peer)) continue;
      this.#lastNotified.set(peer, this.#deps.clock.monotonic());
      this.#deps.notified();
      mostUrgent(made)?.send();
    }
  }

  #offerConfig(observation: ConfigObservation): Offer {
    const { peer, exchange, sid, toldAt } = observation;
    return {
      urgency: 'change',
      toldAt,
      send: () => {
        observation.changed = false;
        observation.toldAt = this.#deps.clock.monotonic();
        const response = this.#deps.configResponse(peer, sid);
        this.#notify(peer, exchange, response, isError(response));
      },
    };
  }

  /** Undefined, and settled for the time being, when there is nothing to tell. */
  #offerMitigations(
    observation: MitigationObservation,
    watched: readonly WatchedMitigation[],
    changes: number,
  ): Offer | undefined {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    const plan = planNotification(observation.told, watched, clock.epochSeconds(), now);
    if (plan === undefined) {
      observation.settledAt = changes;
      observation.readAt = now + (watched.some(isInTransition) ? SHORTEST_PAUSE_MS : PERIOD_MS);
      return undefined;
    }
    return {
      urgency: plan.urgency,
      toldAt: observation.told.at,
      send: () => {
        observation.told = plan.told;
        observation.readAt = now + SHORTEST_PAUSE_MS;
        const gone = plan.notification.type === 'gone';
        this.#notify(observation.peer, observation.exchange, render(plan.notification, observation), gone);
      },
    };
  }

  #notify(peer: Peer, exchange: ExchangeId, response: Response, last: boolean): void {
    if (last) this.remove(peer, exchange);
    peer.notify(exchange, response, last);
  }
}

const isError = ({ code }: Response): boolean => code >> 5 !== 2;

function render(notification: Notification, { filter, subject }: MitigationObservation): Response {
  return notification.type === 'gone'
    ? errorResponse(notFound(subject))
    : content(encodeMitigationStatus(notification.entries, filter));
}
