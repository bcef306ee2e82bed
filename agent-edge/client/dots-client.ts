/** The DOTS client as its users see it: one secured session, and the operations of the signal channel over it. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import { systemRandom } from '#adapters/random/system-random.ts';
import { toBase64Url } from '#core/base/bytes.ts';
import {
  configOutcome,
  mitigationOutcome,
  type Outcome,
  plainOutcome,
  statusOutcome,
} from '#core/client/outcome.ts';
import {
  deleteMitigation,
  type GetMitigations,
  getConfig,
  getMitigations,
  putMitigation,
} from '#core/client/requests.ts';
import type { FailureReason } from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { Cuid, Mid, Sid } from '#core/model/identifiers.ts';
import type { MitigationRequestBody, SignalConfigBody } from '#core/signal/bodies.ts';
import type { ReceivedAnswer } from '#core/signal/mitigation-codec.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { type ConnectOptions, connectSecurely } from './connect.ts';
import type { Observation } from './observation.ts';
import { SignalSession } from './signal-session.ts';

export interface DotsClientOptions extends ConnectOptions {
  readonly cuid: Cuid;
  /** For one operation, in milliseconds, all its copies together. */
  readonly answerWithinMs: number;
  readonly onSilence?: () => void;
  readonly onClosed?: (reason: string) => void;
}

/** No answer at all, or what it says. */
export type Answered<T> = Outcome<T> | { readonly type: 'unanswered'; readonly reason: FailureReason };

export interface DotsClient {
  readonly transport: 'udp' | 'tcp';
  readonly cuid: Cuid;
  /** Asks, refreshes (same mid and body, §4.4.1), or reports efficacy (a body with `attackStatus`, §4.4.3). */
  requestMitigation(mid: Mid, body: MitigationRequestBody): Promise<Answered<ReceivedAnswer>>;
  /** 2.02, also for a mid that does not exist. */
  withdraw(mid: Mid): Promise<Answered<undefined>>;
  /** `withinMs` in place of the client's own `answerWithinMs`. */
  status(
    query?: Omit<GetMitigations, 'observe'>,
    withinMs?: number,
  ): Promise<Answered<readonly ReceivedStatusEntry[]>>;
  /** The mitigations of this client under a cuid that it has used before. */
  statusUnder(cuid: Cuid): Promise<Answered<readonly ReceivedStatusEntry[]>>;
  /** Every notification, from the first answer on (§4.4.2.1); `more` is false with the last. */
  watch(
    query: Omit<GetMitigations, 'observe'>,
    notified: (outcome: Outcome<readonly ReceivedStatusEntry[]>, more: boolean) => void,
  ): Observation;
  config(sid?: Sid): Promise<Answered<SignalConfigBody>>;
  /** For the next requests, after a collision (4.09 with cause `cuidCollision`). Returns the new cuid. */
  renewCuid(): Cuid;
  close(): void;
}

/** Bytes of a cuid that is not derived: as long as a derived one (§4.4.1.1). */
const CUID_BYTES = 16;

/** Rejects with a `HandshakeError`. */
export async function connect(options: DotsClientOptions): Promise<DotsClient> {
  const session = await connectSecurely(options);
  const signalSession = new SignalSession({
    session,
    driver: createDriver({ clock: systemClock }),
    clock: systemClock,
    random: systemRandom,
    ...(session.roundTripAtMostMs === undefined ? {} : { roundTripMs: session.roundTripAtMostMs }),
    ...(options.onSilence === undefined ? {} : { onSilence: options.onSilence }),
    ...(options.onClosed === undefined ? {} : { onClosed: options.onClosed }),
  });
  return new SessionClient(signalSession, session.transport, options);
}

class SessionClient implements DotsClient {
  readonly transport: 'udp' | 'tcp';
  readonly #session: SignalSession;
  readonly #answerWithinMs: number;
  #cuid: Cuid;

  constructor(session: SignalSession, transport: 'udp' | 'tcp', options: DotsClientOptions) {
    this.#session = session;
    this.transport = transport;
    this.#answerWithinMs = options.answerWithinMs;
    this.#cuid = options.cuid;
  }

  get cuid(): Cuid {
    return this.#cuid;
  }

  requestMitigation(mid: Mid, body: MitigationRequestBody): Promise<Answered<ReceivedAnswer>> {
    return this.#ask(putMitigation(this.#cuid, mid, body), mitigationOutcome);
  }

  withdraw(mid: Mid): Promise<Answered<undefined>> {
    return this.#ask(deleteMitigation(this.#cuid, mid), plainOutcome);
  }

  status(
    query: Omit<GetMitigations, 'observe'> = {},
    withinMs?: number,
  ): Promise<Answered<readonly ReceivedStatusEntry[]>> {
    return this.#ask(getMitigations(this.#cuid, query), statusOutcome, withinMs);
  }

  statusUnder(cuid: Cuid): Promise<Answered<readonly ReceivedStatusEntry[]>> {
    return this.#ask(getMitigations(cuid, { filter: 'n' }), statusOutcome);
  }

  watch(
    query: Omit<GetMitigations, 'observe'>,
    notified: (outcome: Outcome<readonly ReceivedStatusEntry[]>, more: boolean) => void,
  ): Observation {
    const cuid = this.#cuid;
    return this.#session.observe(
      (observe) => getMitigations(cuid, { ...query, observe }),
      (response, more) => notified(statusOutcome(response), more),
    );
  }

  config(sid?: Sid): Promise<Answered<SignalConfigBody>> {
    return this.#ask(getConfig(sid), configOutcome);
  }

  renewCuid(): Cuid {
    this.#cuid = toBase64Url(randomBytes(CUID_BYTES)) as Cuid;
    return this.#cuid;
  }

  close(): void {
    this.#session.close();
  }

  async #ask<T>(
    request: Request,
    read: (response: Response) => Outcome<T>,
    withinMs = this.#answerWithinMs,
  ): Promise<Answered<T>> {
    const answer = await this.#session.request(request, withinMs);
    return answer.ok ? read(answer.value) : { type: 'unanswered', reason: answer.error };
  }
}
