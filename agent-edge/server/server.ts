/**
 * The signal-channel server of one process (RFC 9132): sessions come in proven, mitigations go out as commands to a
 * function, and everything in between is in memory.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import type { EndpointDriver } from '#adapters/endpoint-driver/endpoint-handle.ts';
import type { Instant } from '#core/base/time.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Clock, Random } from '#core/ports/clock.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import type { Store } from '#core/ports/store.ts';
import { RateBucket } from '#core/server/rate-limit.ts';
import type { SessionState } from '#core/session/session-machine.ts';
import { CommandBatcher } from './command-batcher.ts';
import { configResponse } from './config.ts';
import { Configurations } from './configurations.ts';
import { type Counters, makeCounters } from './counters.ts';
import { DomainActivities } from './domain-activities.ts';
import { LossOfSignal } from './loss-of-signal.ts';
import { Observers } from './observers.ts';
import type { Peer } from './peer.ts';
import { type SessionDeps, type SessionOwner, SignalSession } from './session.ts';
import { checkSettings, DEFAULT_SETTINGS, type ServerSettings } from './settings.ts';
import type { SignalLog } from './signal-event.ts';
import { systemTimers, type Timers } from './timers.ts';

export interface SignalServerDeps {
  readonly functions: Functions;
  readonly store: Pick<
    Store,
    'snapshot' | 'mitigations' | 'watched' | 'sessionConfig' | 'putSessionConfig' | 'subscribe'
  >;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly settings?: Partial<ServerSettings>;
  readonly log: SignalLog;
  readonly driver?: EndpointDriver;
  readonly timers?: Timers;
}

export interface SignalServerStats extends Readonly<Counters> {
  readonly sessions: Readonly<Record<SessionState, number>>;
  readonly observers: number;
  /** Commands not yet answered. */
  readonly commandsWaiting: number;
  /** Clients silent for too long whose mitigations are not triggered yet. */
  readonly lossesWaiting: number;
}

export interface SignalServer {
  /** Takes a session over in the moment its handshake is done: before any message of it. */
  accept(session: SecureSession): void;
  stats(): SignalServerStats;
  /** Ends every session by close_notify and resolves when what was asked has been answered or given up. */
  close(): Promise<void>;
}

const TICK_MS = 250;
/** Where the store cannot tell of changes, activity is read this often, in milliseconds. */
const ACTIVITY_MS = 15_000;
/** And where it can, but not of whose: at most this often. What comes by our own commands is read at once. */
const ACTIVITY_PAUSE_MS = 1_000;

export const createSignalServer = (deps: SignalServerDeps): SignalServer => new Server(deps);

class Server implements SignalServer, SessionOwner {
  readonly #clock: Clock;
  readonly #settings: ServerSettings;
  readonly #counters = makeCounters();
  readonly #sessions = new Set<SignalSession>();
  /** Authorized sessions of each identity, oldest first. */
  readonly #byIdentity = new Map<IdentityId, Set<SignalSession>>();
  readonly #buckets = new Map<IdentityId, RateBucket>();
  readonly #commands: CommandBatcher;
  readonly #activities: DomainActivities;
  readonly #configurations: Configurations;
  readonly #observers: Observers;
  readonly #losses: LossOfSignal;
  readonly #sessionDeps: SessionDeps;
  readonly #stop: (() => void)[];
  #activitiesStale = false;
  #activitiesFrom: Instant = -Infinity;
  #activitiesDueAt: Instant = -Infinity;
  #opened = 0;
  #closing = false;

  constructor(deps: SignalServerDeps) {
    const { clock, functions, store, log, random, timers = systemTimers } = deps;
    const settings: ServerSettings = { ...DEFAULT_SETTINGS, ...deps.settings };
    checkSettings(settings);
    const configurations = new Configurations(store);
    this.#clock = clock;
    this.#settings = settings;
    this.#configurations = configurations;
    this.#activities = new DomainActivities({
      store,
      log,
      changed: (identityId) => this.#adopt(identityId),
    });
    this.#commands = new CommandBatcher({
      functions,
      log,
      settled: (domainId) => this.#settled(domainId),
    });
    this.#observers = new Observers({
      store,
      clock,
      log,
      configResponse: (peer, sid) =>
        configResponse(sid, configurations.get(peer.identityId), peer.transport, settings),
      notified: () => this.#counters.notifications++,
    });
    this.#losses = new LossOfSignal({
      clock,
      log,
      submit: (domainId, command) => this.#commands.submit(domainId, command),
      preconfigured: (domainId, identityId) => this.#activities.preconfigured(domainId, identityId),
      isHeard: (identityId) => this.#isHeard(identityId),
      sessions: () => this.#sessions.size,
      triggered: () => this.#counters.signalLost++,
    });
    this.#sessionDeps = {
      functions,
      store,
      clock,
      random,
      log,
      settings,
      configurations,
      policy: settings,
      driver: deps.driver ?? createDriver({ clock }),
      commands: this.#commands,
      observers: this.#observers,
      counters: this.#counters,
      bucketOf: (session) => this.#bucketOf(session),
      isMitigating: (peer) => this.#activities.isMitigating(peer.domainId, peer.identityId),
      configurationChanged: (identityId) => this.#configurationChanged(identityId, log),
    };
    this.#stop = [store.subscribe(() => this.#storeChanged()), timers.every(TICK_MS, () => this.#tick())];
  }

  accept(session: SecureSession): void {
    if (this.#closing) {
      session.close();
      return;
    }
    this.#sessions.add(new SignalSession(++this.#opened, session, this.#sessionDeps, this));
  }

  stats(): SignalServerStats {
    const sessions = { connecting: 0, idle: 0, mitigating: 0, lost: 0, closed: 0 };
    for (const { state } of this.#sessions) sessions[state]++;
    return {
      ...this.#counters,
      sessions,
      observers: this.#observers.size,
      commandsWaiting: this.#commands.waiting,
      lossesWaiting: this.#losses.waiting,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const stop of this.#stop) stop();
    await this.#commands.close();
    // The last answers are on their way to their sessions.
    await nextTurn();
    for (const session of [...this.#sessions]) session.close();
  }

  opened(session: SignalSession, peer: Peer): void {
    const { identityId, domainId } = peer;
    const sessions = this.#byIdentity.get(identityId) ?? new Set();
    sessions.add(session);
    this.#byIdentity.set(identityId, sessions);
    this.#activities.retain(domainId);
    const [oldest] = sessions;
    if (sessions.size > (this.#settings.maxSessionsPerIdentity ?? Infinity)) oldest?.close();
  }

  lost(_session: SignalSession, { identityId, domainId }: Peer): void {
    this.#losses.watch(identityId, domainId, this.#clock.monotonic());
  }

  closed(session: SignalSession, peer: Peer | undefined, reason: string): void {
    this.#sessions.delete(session);
    if (peer === undefined) return;
    const { identityId, domainId } = peer;
    const sessions = this.#byIdentity.get(identityId);
    sessions?.delete(session);
    this.#watchSilence(session, peer, reason);
    this.#activities.release(domainId);
    if (sessions?.size !== 0) return;
    this.#byIdentity.delete(identityId);
    this.#buckets.delete(identityId);
    this.#configurations.forget(identityId);
  }

  /** A session that broke is no loss yet; the client's silence for as long as heartbeats would need is (§4.7). */
  #watchSilence(session: SignalSession, { identityId, domainId }: Peer, reason: string): void {
    if (this.#closing || this.#isHeard(identityId)) return;
    const until = session.silenceAllowedUntil;
    if (ORDERLY_ENDINGS.has(reason)) this.#losses.cancel(identityId);
    else if (until !== undefined) this.#losses.watch(identityId, domainId, until);
  }

  #tick(): void {
    const now: Instant = this.#clock.monotonic();
    const wall = this.#clock.epochSeconds();
    for (const session of this.#sessions) session.tick(now, wall);
    this.#losses.tick();
    if (now >= this.#activitiesDueAt || (this.#activitiesStale && now >= this.#activitiesFrom)) {
      this.#activitiesStale = false;
      this.#activitiesFrom = now + ACTIVITY_PAUSE_MS;
      this.#activitiesDueAt = now + ACTIVITY_MS;
      this.#activities.refreshAll();
    }
    void this.#observers.sweep();
  }

  #storeChanged(): void {
    this.#activitiesStale = true;
    this.#observers.storeChanged();
    void this.#observers.sweep();
  }

  #settled(domainId: DomainId): void {
    this.#observers.domainChanged(domainId);
    this.#activities.refresh(domainId);
  }

  #configurationChanged(identityId: IdentityId, log: SignalLog): void {
    const sid = this.#configurations.get(identityId)?.sid;
    log({ event: 'configuration-changed', identityId, ...(sid === undefined ? {} : { sid }) });
    this.#adopt(identityId);
    this.#observers.configChanged(identityId);
  }

  #adopt(identityId: IdentityId): void {
    for (const session of this.#byIdentity.get(identityId) ?? []) session.adopt();
  }

  #isHeard(identityId: IdentityId): boolean {
    for (const session of this.#byIdentity.get(identityId) ?? []) if (session.isHeard) return true;
    return false;
  }

  #bucketOf({ remote, credential }: SecureSession): RateBucket | undefined {
    const { rateLimit } = this.#settings;
    if (rateLimit === undefined || isLoopback(remote.address)) return undefined;
    const bucket =
      this.#buckets.get(credential.identityId) ?? new RateBucket(rateLimit, this.#clock.monotonic());
    this.#buckets.set(credential.identityId, bucket);
    return bucket;
  }
}

/** How a session ends when the peer meant it to, or we did: everything else may be the attack. */
const ORDERLY_ENDINGS: ReadonlySet<string> = new Set([
  'peer-closed',
  'closed',
  'closed by us',
  'the peer released the connection',
]);

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
