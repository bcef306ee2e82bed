/** Endpoints on sessions as adapters/endpoint-driver runs them, on a clock that the test moves: no timer of the machine. */
import type {
  EndpointDriver,
  EndpointHandle,
  EndpointHandlers,
} from '#adapters/endpoint-driver/endpoint-handle.ts';
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

export class ManualDriver implements EndpointDriver {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #driven = new Set<Driven>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#driven.size;
  }

  attach(session: SecureSession, options: EndpointOptions, handlers: EndpointHandlers): EndpointHandle {
    const driven = new Driven(
      session,
      options,
      handlers,
      () => this.#clock.monotonic(),
      () => this.#driven.delete(driven),
    );
    this.#driven.add(driven);
    driven.run({ type: 'tick' });
    return driven;
  }

  /** Every endpoint whose time has come. */
  tick(): void {
    const now = this.#clock.monotonic();
    for (const driven of [...this.#driven])
      if ((driven.deadline ?? Infinity) <= now) driven.run({ type: 'tick' });
  }
}

class Driven implements EndpointHandle {
  readonly #session: SecureSession;
  readonly #endpoint: CoapEndpoint;
  readonly #handlers: EndpointHandlers;
  readonly #now: () => number;
  readonly #detached: () => void;
  #sent = 0;
  #closed = false;

  constructor(
    session: SecureSession,
    options: EndpointOptions,
    handlers: EndpointHandlers,
    now: () => number,
    detached: () => void,
  ) {
    this.#session = session;
    this.#endpoint = createEndpoint(options);
    this.#handlers = handlers;
    this.#now = now;
    this.#detached = detached;
    session.onMessage = (bytes) => this.run({ type: 'received', bytes });
    session.onClose = (reason) => this.#end(reason);
  }

  get deadline(): number | undefined {
    return this.#endpoint.deadline;
  }

  run(input: Input): void {
    for (const output of this.#endpoint.step(input, this.#now())) this.#dispatch(output);
  }

  send(request: Request, observation?: ExchangeId): ExchangeId {
    const exchange = observation ?? ++this.#sent;
    this.run({ type: 'send', exchange, request });
    return exchange;
  }

  respond(exchange: ExchangeId, response: Response): void {
    this.run({ type: 'respond', exchange, response });
  }

  ignore(exchange: ExchangeId): void {
    this.run({ type: 'ignore', exchange });
  }

  notify(exchange: ExchangeId, response: Response, last: boolean): void {
    this.run({ type: 'notify', exchange, response, last });
  }

  forget(exchange: ExchangeId): void {
    this.run({ type: 'forget', exchange });
  }

  setParameters(parameters: TransmissionParameters): void {
    this.#endpoint.setParameters(parameters);
  }

  close(): void {
    if (this.#closed) return;
    this.run({ type: 'release' });
    this.#end('closed by us');
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.run({ type: 'closed' });
    this.#detached();
    this.#session.close();
    this.#handlers.closed(reason);
  }

  #dispatch(output: Output): void {
    switch (output.type) {
      case 'transmit':
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
        this.#end(output.reason);
    }
  }
}
