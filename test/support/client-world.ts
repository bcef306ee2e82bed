/** A `SignalSession` of the client on a clock the test moves, towards a server that the test scripts, in memory. */

import type { EndpointHandle } from '#adapters/endpoint-driver/endpoint-handle.ts';
import { SignalSession } from '#agent-edge/client/signal-session.ts';
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import { DEFAULT_TRANSMISSION } from '#core/session/transmission.ts';
import { ManualDriver } from './manual-driver.ts';
import { SecurePair } from './secure-pair.ts';
import { seededRandom } from './seeded-random.ts';

export interface Arrived {
  readonly at: number;
  readonly exchange: ExchangeId;
  readonly request: Request;
}

interface Timer {
  readonly due: number;
  readonly work: () => void;
}

const STEP_MS = 50;

export class ClientWorld {
  readonly pair: SecurePair;
  readonly session: SignalSession;
  readonly server: EndpointHandle;
  /** Requests that reached the server. */
  readonly arrived: Arrived[] = [];
  /** Responses to requests of the server. */
  readonly answers: Response[] = [];
  readonly silences: number[] = [];
  closed: string | undefined;
  /** How the server answers; undefined leaves a request unanswered. */
  script: (request: Request, arrived: Arrived) => Response | undefined = () => undefined;
  #nowMs = 0;
  readonly #driver: ManualDriver;
  readonly #timers = new Set<Timer>();

  constructor(
    options: {
      readonly transport?: 'udp' | 'tcp';
      readonly roundTripMs?: number;
      /** Of the client's randomness. */
      readonly seed?: number;
    } = {},
  ) {
    const { transport = 'udp', roundTripMs, seed = 3 } = options;
    const clock = { monotonic: () => this.#nowMs, epochSeconds: () => Math.floor(this.#nowMs / 1000) };
    this.pair = new SecurePair({ identityId: 'A'.repeat(43) as IdentityId, transport });
    this.#driver = new ManualDriver(clock);
    this.server = this.#attachServer();
    const fraction = seededRandom(seed);
    this.session = new SignalSession({
      session: this.pair.client,
      driver: this.#driver,
      clock,
      random: { fraction, bytes: (length) => new Uint8Array(length) },
      after: (delayMs, work) => {
        const timer = { due: this.#nowMs + Math.max(0, delayMs), work };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      onSilence: () => this.silences.push(this.#nowMs),
      onClosed: (reason) => {
        this.closed = reason;
      },
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets time pass; datagrams take no time. */
  async run(milliseconds: number): Promise<void> {
    const end = this.#nowMs + milliseconds;
    await this.#settle();
    while (this.#nowMs < end) {
      this.#nowMs = Math.min(end, this.#nowMs + STEP_MS);
      for (const timer of [...this.#timers].filter(({ due }) => due <= this.#nowMs)) {
        if (this.#timers.delete(timer)) timer.work();
      }
      this.#driver.tick();
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    do await Promise.resolve();
    while (this.pair.deliver());
    await Promise.resolve();
  }

  #attachServer(): EndpointHandle {
    const handle = this.#driver.attach(
      this.pair.server,
      {
        transport: this.pair.server.transport,
        parameters: DEFAULT_TRANSMISSION,
        maxPayload: this.pair.server.maxPayload,
        maxBody: 65_536,
        separateAfterMs: 500,
        random: seededRandom(5),
      },
      {
        request: (exchange, request) => {
          const arrived = { at: this.#nowMs, exchange, request };
          this.arrived.push(arrived);
          const response = this.script(request, arrived);
          if (response === undefined) handle.ignore(exchange);
          else handle.respond(exchange, response);
        },
        response: (_exchange, response) => this.answers.push(response),
        failed: () => undefined,
        observerGone: () => undefined,
        closed: () => undefined,
        trace: () => undefined,
      },
    );
    return handle;
  }
}
