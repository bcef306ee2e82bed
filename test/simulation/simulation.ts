/**
 * One server and any number of clients on one virtual clock, each client in a domain of its own behind a path of its own:
 * real endpoints, the real client's session, real decisions in a real store. One client is one run: what happens to it
 * depends on its seed alone, so a seed brings a run back whoever else takes part.
 */
import { SignalSession } from '#agent-edge/client/signal-session.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { Cuid, DomainId, IdentityId, Mid } from '#core/model/identifiers.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Answer } from '#core/ports/mitigation-request.ts';
import { ManualDriver } from '#test/support/manual-driver.ts';
import { makeDomain, makeIdentity } from '#test/support/records.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SignalWorld } from '#test/support/signal-world.ts';
import { Agenda } from './agenda.ts';
import { type Conditions, LossyPath } from './lossy-path.ts';

/** A command as the function decided it. */
export interface Decided {
  readonly at: number;
  readonly command: Command;
  readonly answer: Answer;
}

/** Resolution of the clock, in milliseconds: what falls due in between is done at the end of the step. */
const STEP_MS = 5;
/** Deadlines of endpoints are looked at this often. */
const LONGEST_STEP_MS = 100;

export class Simulation {
  readonly world: SignalWorld;
  readonly #agenda = new Agenda();
  readonly #driver: ManualDriver;
  readonly #decided: Map<DomainId, Decided[]>;

  static async open(): Promise<Simulation> {
    const decided = new Map<DomainId, Decided[]>();
    const world = await SignalWorld.open({
      intercept: (functions) => ({
        ...functions,
        requestMitigation: async (event) => {
          const result = await functions.requestMitigation(event);
          const ofDomain = decided.get(event.domainId) ?? [];
          decided.set(event.domainId, ofDomain);
          event.commands.forEach((command, index) => {
            const answer = result.answers[index];
            if (answer !== undefined) ofDomain.push({ at: world.nowMs, command, answer });
          });
          return result;
        },
      }),
    });
    return new Simulation(world, decided);
  }

  private constructor(world: SignalWorld, decided: Map<DomainId, Decided[]>) {
    this.world = world;
    this.#decided = decided;
    this.#driver = new ManualDriver(world.clock);
  }

  /** A client whose handshake is behind it; it took `handshakeMs`, or is too long ago to say anything. */
  async connect(seed: number, conditions: Conditions, handshakeMs?: number): Promise<SimulatedClient> {
    const domainId = `simulated-${seed}` as DomainId;
    const identityId = `simulated-${seed}`.padEnd(43, '-') as IdentityId;
    const prefix = `10.${(seed >> 8) & 255}.${seed & 255}`;
    await this.world.store.putDomain(makeDomain({ id: domainId, prefixes: [`${prefix}.0/24`], names: [] }));
    await this.world.store.putIdentity(makeIdentity({ id: identityId, domainId }));
    const now = (): number => this.world.nowMs;
    const after = (delayMs: number, work: () => void): (() => void) =>
      this.#agenda.put(now() + Math.max(0, delayMs), work);
    const path = new LossyPath(identityId, seed * 2 + 1, conditions, now, after);
    this.world.server.accept(path.server);
    await this.world.settle();
    const silences: number[] = [];
    const session = new SignalSession({
      session: path.client,
      driver: this.#driver,
      clock: this.world.clock,
      random: { fraction: seededRandom(seed * 2 + 2), bytes: (length) => new Uint8Array(length) },
      after,
      onSilence: () => silences.push(now()),
      ...(handshakeMs === undefined ? {} : { roundTripMs: handshakeMs }),
    });
    const cuid = `simulated-client-${seed}` as Cuid;
    const decided: Decided[] = [];
    this.#decided.set(domainId, decided);
    const mitigation = (mid: number): Promise<Mitigation | undefined> =>
      this.world.store.mitigation({ domainId, cuid, mid: mid as Mid });
    return { seed, domainId, cuid, prefix, path, session, silences, decided, mitigation };
  }

  /** Begins `work` so many seconds from now. */
  at(seconds: number, work: () => void): void {
    this.#agenda.put(this.world.nowMs + seconds * 1000, work);
  }

  /** Lets virtual time pass. */
  async run(seconds: number): Promise<void> {
    const end = this.world.nowMs + seconds * 1000;
    for (let now = this.world.nowMs; now < end; now = this.world.nowMs) {
      const next = Math.min(Math.max(this.#agenda.nextAt, now + STEP_MS), now + LONGEST_STEP_MS, end);
      await this.world.advance((next - now) / 1000);
      this.#agenda.run(this.world.nowMs);
      this.#driver.tick();
      await this.world.settle();
    }
  }

  close(): Promise<void> {
    return this.world.close();
  }
}

export interface SimulatedClient {
  readonly seed: number;
  readonly domainId: DomainId;
  readonly cuid: Cuid;
  /** The first three octets of the /24 that its domain owns. */
  readonly prefix: string;
  readonly path: LossyPath;
  readonly session: SignalSession;
  /** When the client noticed that its heartbeats go unanswered. */
  readonly silences: readonly number[];
  /** Commands of its domain, in the order of their decisions. */
  readonly decided: readonly Decided[];
  /** What the store knows of it. */
  mitigation(mid: number): Promise<Mitigation | undefined>;
}
