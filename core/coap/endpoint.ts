/** One CoAP endpoint on one secured session, client and server at once, over UDP or TCP: the layers of stack.ts, composed. */
import type { Instant } from '../base/time.ts';
import { ClientExchanges } from './client-exchanges.ts';
import { Connection } from './connection.ts';
import type { CoapEndpoint, EndpointOptions, Input, Output, TransmissionParameters } from './endpoint-io.ts';
import { MessageLayer } from './message-layer.ts';
import { RequestLayer } from './request-layer.ts';
import { ServerExchanges } from './server-exchanges.ts';
import type { AboveRequests, AboveTransport, Transport } from './stack.ts';
import { deriveTimes, type TransmissionTimes } from './transmission.ts';

export const createEndpoint = (options: EndpointOptions): CoapEndpoint => new Endpoint(options);

class Endpoint implements CoapEndpoint {
  readonly #transport: Transport;
  readonly #requests: RequestLayer;
  readonly #server: ServerExchanges;
  readonly #client: ClientExchanges;
  #parameters: TransmissionParameters;
  #times: TransmissionTimes;
  #outputs: Output[] = [];
  #closed = false;

  constructor(options: EndpointOptions) {
    const { transport, maxBody, random } = options;
    this.#parameters = options.parameters;
    this.#times = deriveTimes(options.parameters);
    const emit = (output: Output): void => {
      this.#outputs.push(output);
    };
    const exchanges: AboveRequests = {
      request: (message, origin, now) => this.#server.request(message, origin, now),
      response: (pending, message, now) => this.#client.response(pending, message, now),
      undelivered: (sender, reason, now) => {
        if (sender.role === 'observer') this.#server.undelivered(sender);
        else this.#client.undelivered(sender, reason, now);
      },
    };
    const makeTransport = (above: AboveTransport): Transport =>
      transport === 'udp' ? new MessageLayer(options, above, emit) : new Connection(maxBody, above, emit);
    this.#requests = new RequestLayer(makeTransport, random, exchanges, emit);
    this.#transport = this.#requests.transport;
    this.#server = new ServerExchanges({
      transport: this.#transport,
      maxBody,
      bert: transport === 'tcp',
      emit,
      transferLifetimeMs: () => this.#times.exchangeLifetimeMs,
    });
    this.#client = new ClientExchanges({
      requests: this.#requests,
      transport,
      maxBody,
      emit,
      times: () => this.#times,
      maxRepeats: () => this.#parameters.maxRetransmit,
    });
  }

  step(input: Input, now: Instant): Output[] {
    if (!this.#closed) this.#take(input, now);
    else if (input.type === 'send')
      this.#outputs.push({ type: 'failed', exchange: input.exchange, reason: 'closed' });
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #take(input: Input, now: Instant): void {
    switch (input.type) {
      case 'received':
        this.#transport.receive(input.bytes, now);
        break;
      case 'send':
        this.#client.send(input.exchange, input.request, now);
        break;
      case 'forget':
        this.#client.forget(input.exchange, now);
        break;
      case 'respond':
        this.#server.respond(input.exchange, input.response, now);
        break;
      case 'ignore':
        this.#server.ignore(input.exchange, now);
        break;
      case 'notify':
        this.#server.notify(input.exchange, input.response, input.last, now);
        break;
      case 'tick':
        this.#transport.tick(now);
        this.#requests.tick(now);
        this.#server.tick(now);
        this.#client.tick(now);
        break;
      case 'release':
        this.#transport.release(now);
        break;
      case 'closed':
        this.#closed = true;
        this.#client.closed(now);
        this.#server.closed();
    }
  }

  get deadline(): Instant | undefined {
    if (this.#closed) return undefined;
    let earliest = this.#transport.deadline;
    for (const { deadline } of [this.#requests, this.#server, this.#client])
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    return earliest;
  }

  setParameters(parameters: TransmissionParameters): void {
    this.#parameters = parameters;
    this.#times = deriveTimes(parameters);
    this.#transport.setParameters(parameters);
  }
}
