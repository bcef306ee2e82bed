/** The one loop between CoAP endpoints and the world: bytes of a session in and out, outputs to handlers, one timer for all. */
import { createEndpoint } from '#core/coap/endpoint.ts';
import type {
  CoapEndpoint,
  EndpointOptions,
  ExchangeId,
  Input,
  Output,
  TransmissionParameters,
} from '#core/coap/endpoint-io.ts';
import type { Request, Response } from '#core/coap/message.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { type DeadlineEntry, DeadlineHeap } from './deadline-heap.ts';
import type { CreateDriver, EndpointDriver, EndpointHandle, EndpointHandlers } from './endpoint-handle.ts';

/** `setTimeout` holds at most this many milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const createDriver: CreateDriver = ({ clock }) => new Driver(clock);

class Driver implements EndpointDriver {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #deadlines = new DeadlineHeap<DrivenEndpoint>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  attach(session: SecureSession, options: EndpointOptions, handlers: EndpointHandlers): EndpointHandle {
    this.#size++;
    const driven = new DrivenEndpoint(session, options, handlers, {
      now: () => this.#clock.monotonic(),
      entryOf: (owner) => this.#deadlines.entry(owner),
      schedule: (entry, at) => this.#schedule(entry, at),
      detached: () => {
        this.#size--;
      },
    });
    driven.start();
    return driven;
  }

  #schedule(entry: DeadlineEntry<DrivenEndpoint>, at: number | undefined): void {
    this.#deadlines.set(entry, at);
    this.#arm();
  }

  /** A timer that is early does no harm: it finds nothing due and is set anew. */
  #arm(): void {
    const { earliest } = this.#deadlines;
    if (earliest === undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#timerAt = Infinity;
      return;
    }
    if (earliest.at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = earliest.at;
    const delayMs = Math.ceil(earliest.at - this.#clock.monotonic());
    this.#timer = setTimeout(() => this.#expired(), Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
  }

  #expired(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    // Each due endpoint once: one whose next deadline is due again waits for the next round.
    const due: DrivenEndpoint[] = [];
    for (let next = this.#deadlines.earliest; next !== undefined && next.at <= now; ) {
      due.push(next.owner);
      this.#deadlines.set(next, undefined);
      next = this.#deadlines.earliest;
    }
    for (const endpoint of due) endpoint.tick();
    this.#arm();
  }
}

interface Shared {
  readonly now: () => number;
  readonly entryOf: (owner: DrivenEndpoint) => DeadlineEntry<DrivenEndpoint>;
  readonly schedule: (entry: DeadlineEntry<DrivenEndpoint>, at: number | undefined) => void;
  readonly detached: () => void;
}

class DrivenEndpoint implements EndpointHandle {
  readonly #session: SecureSession;
  readonly #endpoint: CoapEndpoint;
  readonly #handlers: EndpointHandlers;
  readonly #shared: Shared;
  readonly #entry: DeadlineEntry<DrivenEndpoint>;
  readonly #pending: Output[] = [];
  #dispatching = false;
  #closing: string | undefined;
  #closed = false;
  #sent: ExchangeId = 0;

  constructor(session: SecureSession, options: EndpointOptions, handlers: EndpointHandlers, shared: Shared) {
    this.#session = session;
    this.#endpoint = createEndpoint(options);
    this.#handlers = handlers;
    this.#shared = shared;
    this.#entry = shared.entryOf(this);
  }

  start(): void {
    this.#session.onMessage = (bytes) => this.#run({ type: 'received', bytes });
    this.#session.onClose = (reason) => this.#close(reason);
    // Over TCP the first message is ours to send, unasked (RFC 8323 §3.3).
    this.tick();
  }

  tick(): void {
    this.#run({ type: 'tick' });
  }

  send(request: Request, observation?: ExchangeId): ExchangeId {
    const exchange = observation ?? ++this.#sent;
    this.#run({ type: 'send', exchange, request });
    return exchange;
  }

  respond(exchange: ExchangeId, response: Response): void {
    this.#run({ type: 'respond', exchange, response });
  }

  ignore(exchange: ExchangeId): void {
    this.#run({ type: 'ignore', exchange });
  }

  notify(exchange: ExchangeId, response: Response, last: boolean): void {
    this.#run({ type: 'notify', exchange, response, last });
  }

  forget(exchange: ExchangeId): void {
    this.#run({ type: 'forget', exchange });
  }

  setParameters(parameters: TransmissionParameters): void {
    this.#endpoint.setParameters(parameters);
  }

  close(): void {
    this.#run({ type: 'release' });
    this.#close('closed by us');
  }

  #run(input: Input): void {
    this.#pending.push(...this.#endpoint.step(input, this.#shared.now()));
    // A handler that calls back adds to what is being dispatched: everything keeps its order.
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let output = this.#pending.shift(); output !== undefined; output = this.#pending.shift())
        this.#dispatch(output);
    } finally {
      this.#dispatching = false;
    }
    if (this.#closed) return;
    if (this.#closing === undefined) this.#shared.schedule(this.#entry, this.#endpoint.deadline);
    else this.#closeSession(this.#closing);
  }

  /** What is open fails first; the session is closed when everything has been dispatched. */
  #close(reason: string): void {
    if (this.#closing !== undefined) return;
    this.#closing = reason;
    this.#run({ type: 'closed' });
  }

  #closeSession(reason: string): void {
    this.#closed = true;
    this.#shared.schedule(this.#entry, undefined);
    this.#shared.detached();
    this.#session.onMessage = undefined;
    this.#session.close();
    this.#handlers.closed(reason);
  }

  #dispatch(output: Output): void {
    switch (output.type) {
      case 'transmit':
        // A session that has just closed says so through onClose; a lost datagram is repeated or given up above.
        this.#session.send(output.bytes);
        break;
      case 'request':
        this.#handlers.request(output.exchange, output.request, output.observe);
        break;
      case 'response':
        this.#handlers.response(output.exchange, output.response, output.more);
        break;
      case 'failed':
        this.#handlers.failed(output.exchange, output.reason);
        break;
      case 'observer-gone':
        this.#handlers.observerGone(output.exchange);
        break;
      case 'trace':
        this.#handlers.trace(output.event);
        break;
      case 'close':
        this.#close(output.reason);
    }
  }
}
