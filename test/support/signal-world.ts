/**
 * A signal-channel server and its clients in one process on one manual clock: real endpoints, real decisions, a real store
 * in memory; only sockets and encryption are left out.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import { createSignalServer, type SignalServer } from '#agent-edge/server/server.ts';
import type { ServerSettings } from '#agent-edge/server/settings.ts';
import type { SignalEvent } from '#agent-edge/server/signal-event.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { DomainPolicy, Identity } from '#core/model/domain.ts';
import { DEFAULT_POLICY } from '#core/model/domain.ts';
import type { Cuid, IdentityId, Mid } from '#core/model/identifiers.ts';
import type { Mitigation, MitigationReport } from '#core/model/mitigation.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { Outbox } from '#core/ports/outbox.ts';
import type { Store } from '#core/ports/store.ts';
import { createAuthorizer } from '#functions/authorizer/app.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { createSweeper } from '#functions/sweeper/app.ts';
import { ManualDriver } from './manual-driver.ts';
import { DEMO, makeDomain, makeIdentity, OTHER } from './records.ts';
import { type PairOptions, SecurePair } from './secure-pair.ts';
import { SignalClient } from './signal-client.ts';

export const ALICE = 'A'.repeat(43) as IdentityId;
/** Of Alice's domain. */
export const BOB = 'B'.repeat(43) as IdentityId;
/** Of another domain. */
export const STRANGER = 'S'.repeat(43) as IdentityId;
export const GATEWAY = 'G'.repeat(43) as IdentityId;
export const REVOKED = 'R'.repeat(43) as IdentityId;
export const UNKNOWN = 'U'.repeat(43) as IdentityId;

/** 2027-01-15T08:00:00Z */
const START = 1_800_000_000;
const STEP_MS = 250;
const SWEEP_MS = 1_000;
/** Turns of the event loop without work before all is quiet. */
const QUIET_TURNS = 3;

export interface WorldOptions {
  readonly settings?: Partial<ServerSettings>;
  readonly policy?: Partial<DomainPolicy>;
  /** In front of the real functions: to fail, delay or count. */
  readonly intercept?: (functions: Functions) => Functions;
  /** As in the cloud: the store tells nobody of its changes. */
  readonly silentStore?: boolean;
  /** False: `settle` does not wait for the functions. */
  readonly trackFunctions?: boolean;
}

export class SignalWorld {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly server: SignalServer;
  readonly events: SignalEvent[] = [];
  readonly clock: Clock;
  readonly #parts: SqliteParts;
  readonly #driver: ManualDriver;
  readonly #time: { ms: number };
  readonly #pairs: SecurePair[] = [];
  readonly #timers: { readonly every: number; due: number; readonly callback: () => void }[] = [];
  readonly #decide: Functions['requestMitigation'];
  readonly #sweep: () => Promise<number>;
  /** Calls to store and functions under way. */
  readonly #work: { pending: number; calls: number };

  static async open(options: WorldOptions = {}): Promise<SignalWorld> {
    const time = { ms: 0 };
    const clock: Clock = {
      monotonic: () => time.ms,
      epochSeconds: () => START + Math.floor(time.ms / 1000),
    };
    const parts = await openSqlite({ path: ':memory:', clock });
    if (options.silentStore === true) parts.store.subscribe = () => () => undefined;
    await registerPeers(parts.store, options.policy ?? {});
    try {
      return new SignalWorld(parts, clock, time, options);
    } catch (error) {
      await parts.close();
      throw error;
    }
  }

  private constructor(parts: SqliteParts, clock: Clock, time: { ms: number }, options: WorldOptions) {
    this.#parts = parts;
    this.#work = { pending: 0, calls: 0 };
    this.store = counting(parts.store, this.#work);
    this.outbox = parts.outbox;
    this.clock = clock;
    this.#time = time;
    this.#driver = new ManualDriver(clock);
    const random = { fraction: () => 0, bytes: (length: number) => new Uint8Array(length) };
    const resolver = { resolve: () => Promise.resolve(undefined) };
    this.#decide = createMitigationRequest({ store: this.store, resolver, clock, random });
    const functions = overJson({
      authorize: createAuthorizer({ store: this.store }),
      requestMitigation: this.#decide,
    });
    this.#sweep = createSweeper({ store: this.store, requestMitigation: this.#decide, clock });
    const asked = options.intercept?.(functions) ?? functions;
    this.server = createSignalServer({
      functions: options.trackFunctions === false ? asked : counting(asked, this.#work),
      store: this.store,
      clock,
      random,
      log: (event) => this.events.push(event),
      driver: this.#driver,
      timers: { every: (every, callback) => this.#every(every, callback) },
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    });
    this.#every(SWEEP_MS, () => void this.#tracked(this.#sweep()));
  }

  /** A client with an association to the server; authorized before this resolves, if it ever is. */
  async connect(
    identityId: IdentityId,
    options: Omit<PairOptions, 'identityId'> = {},
  ): Promise<SignalClient> {
    const pair = new SecurePair({ identityId, ...options });
    this.#pairs.push(pair);
    const client = new SignalClient(pair, this.#driver, this);
    this.server.accept(pair.server);
    await this.settle();
    return client;
  }

  get nowMs(): number {
    return this.#time.ms;
  }

  get wall(): number {
    return this.clock.epochSeconds();
  }

  /** Lets time pass in small steps, everything due in each of them done before the next. */
  async advance(seconds: number): Promise<void> {
    const until = this.#time.ms + seconds * 1000;
    while (this.#time.ms < until) {
      this.#time.ms = Math.min(until, this.#time.ms + STEP_MS);
      this.#driver.tick();
      for (const timer of this.#timers) {
        if (timer.due > this.#time.ms) continue;
        timer.due = this.#time.ms + timer.every;
        timer.callback();
      }
      await this.settle();
    }
  }

  /** Calls to store and functions so far. */
  storeCalls(): number {
    return this.#work.calls;
  }

  /** Lets time pass at once: whatever fell due in between is done late, in the next step. */
  skip(seconds: number): void {
    this.#time.ms += seconds * 1000;
  }

  /** A command of the function itself, as from outside the server. */
  async request(command: Command): Promise<Answer | undefined> {
    const { answers } = await this.#decide({ domainId: DEMO, commands: [command] });
    await this.settle();
    return answers[0];
  }

  /** Until nothing is under way: no message, no call to store or function. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const delivered = this.#pairs.filter((pair) => pair.deliver()).length > 0;
      const busy = delivered || this.#work.pending > 0;
      quiet = busy ? 0 : quiet + 1;
      await nextTurn();
    }
  }

  /** What a mitigator says of a mitigation, as of its present generation. */
  async report(cuid: Cuid, mid: number, changes: Partial<MitigationReport>): Promise<void> {
    const key = { domainId: DEMO, cuid, mid: mid as Mid };
    const { generation } = await this.stored(cuid, mid);
    await this.store.putReport({
      ...key,
      mitigator: 'edge',
      generation,
      state: 'active',
      actualTargets: [],
      updatedAt: this.wall,
      ...changes,
    });
    await this.settle();
  }

  async stored(cuid: Cuid, mid: number): Promise<Mitigation> {
    const found = await this.store.mitigation({ domainId: DEMO, cuid, mid: mid as Mid });
    if (found === undefined) throw new Error(`no record of mid ${mid}`);
    return found;
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.settle();
    await this.#parts.close();
  }

  #every(every: number, callback: () => void): () => void {
    const timer = { every, due: this.#time.ms + every, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
    };
  }

  async #tracked(work: Promise<unknown>): Promise<void> {
    this.#work.pending++;
    try {
      await work;
    } finally {
      this.#work.pending--;
    }
  }
}

async function registerPeers(store: Store, policy: Partial<DomainPolicy>): Promise<void> {
  const prefixes = ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'];
  await store.putDomain(makeDomain({ prefixes, policy: { ...DEFAULT_POLICY, ...policy } }));
  await store.putDomain(makeDomain({ id: OTHER, prefixes: ['203.0.113.0/24'], names: [] }));
  const identities: Partial<Identity>[] = [
    { id: ALICE },
    { id: BOB },
    { id: STRANGER, domainId: OTHER },
    { id: GATEWAY, role: 'gateway' },
    { id: REVOKED, status: 'revoked' },
  ];
  for (const changes of identities) await store.putIdentity(makeIdentity(changes));
}

/** As in the cloud, and in local/: what crosses the port is JSON. */
function overJson(functions: Functions): Functions {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  return {
    authorize: async (request) => copy(await functions.authorize(copy(request))),
    requestMitigation: async (event) => copy(await functions.requestMitigation(copy(event))),
  };
}

/** The same object, with the promises it returns counted while they are open. */
function counting<T extends object>(target: T, work: { pending: number; calls: number }): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const member: unknown = Reflect.get(object, name, receiver);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, object, given);
        if (!(result instanceof Promise)) return result;
        work.pending++;
        work.calls++;
        const done = (): void => {
          work.pending--;
        };
        result.then(done, done);
        return result;
      };
    },
  });
}
