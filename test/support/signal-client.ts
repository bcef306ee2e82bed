/** A client played by the test over a real endpoint: asks, remembers everything it is told, answers heartbeats or not. */
import type { EndpointDriver, EndpointHandle } from '#adapters/endpoint-driver/endpoint-handle.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { ExchangeId } from '#core/coap/endpoint-io.ts';
import type { CoapOption, Request, Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption, sortOptions, textOptions } from '#core/coap/options.ts';
import { decodeUdp, type UdpMessage } from '#core/coap/udp-message.ts';
import { DEFAULT_TRANSMISSION } from '#core/session/transmission.ts';
import { contentFormatOption } from '#core/signal/content-format.ts';
import { decodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import type { SecurePair } from './secure-pair.ts';
import { seededRandom } from './seeded-random.ts';

/** Lets the world run until all is quiet. */
export interface Settling {
  settle(): Promise<void>;
  readonly nowMs: number;
}

export interface Asking {
  readonly payload?: Uint8Array;
  readonly options?: readonly CoapOption[];
  readonly query?: string;
  readonly confirmable?: boolean;
  readonly observe?: 0 | 1;
}

export interface Told {
  readonly response: Response;
  readonly at: number;
}

export interface ServerHeartbeat {
  readonly at: number;
  readonly peerHbStatus: boolean;
  readonly path: readonly string[];
}

export class SignalClient {
  readonly pair: SecurePair;
  /** Heartbeats of the server that arrived. */
  readonly heartbeats: ServerHeartbeat[] = [];
  /** Whether the client answers the server's heartbeats. */
  answering = true;
  closed: string | undefined;
  readonly #handle: EndpointHandle;
  readonly #world: Settling;
  readonly #told = new Map<ExchangeId, Told[]>();

  constructor(pair: SecurePair, driver: EndpointDriver, world: Settling) {
    this.pair = pair;
    this.#world = world;
    this.#handle = driver.attach(
      pair.client,
      {
        transport: pair.client.transport,
        parameters: DEFAULT_TRANSMISSION,
        maxPayload: pair.client.maxPayload,
        maxBody: 65_536,
        separateAfterMs: 500,
        random: seededRandom(7),
      },
      {
        request: (exchange, request) => this.#heard(exchange, request),
        response: (exchange, response) => this.#of(exchange).push({ response, at: world.nowMs }),
        failed: () => undefined,
        observerGone: () => undefined,
        closed: (reason) => {
          this.closed = reason;
        },
        trace: () => undefined,
      },
    );
  }

  /** `mitigate/cuid=x/mid=1`, below /.well-known/dots; the answer, or undefined when there is none at once. */
  async ask(method: keyof typeof METHOD, path: string, asking: Asking = {}): Promise<Response | undefined> {
    const exchange = this.send(method, path, asking);
    await this.#world.settle();
    return this.told(exchange)[0]?.response;
  }

  /** As `ask`, for an answer that there has to be. */
  async answerTo(method: keyof typeof METHOD, path: string, asking: Asking = {}): Promise<Response> {
    const response = await this.ask(method, path, asking);
    if (response === undefined) throw new Error(`no answer to ${method} ${path}`);
    return response;
  }

  send(method: keyof typeof METHOD, path: string, asking: Asking = {}, observation?: ExchangeId): ExchangeId {
    const { payload, options = [], query, confirmable = false, observe } = asking;
    const segments = ['.well-known', 'dots', ...path.split('/')];
    const withFormat =
      payload !== undefined && !options.some(({ number }) => number === OPTION.contentFormat);
    return this.#handle.send(
      {
        code: METHOD[method],
        confirmable,
        payload: payload ?? new Uint8Array(0),
        options: sortOptions([
          ...segments.map((segment) => makeTextOption(OPTION.uriPath, segment)),
          ...(query === undefined ? [] : [makeTextOption(OPTION.uriQuery, query)]),
          ...(withFormat ? [contentFormatOption()] : []),
          ...(observe === undefined ? [] : [makeUintOption(OPTION.observe, observe)]),
          ...options,
        ]),
      },
      observation,
    );
  }

  /** Every response to an exchange, notifications included. */
  told(exchange: ExchangeId): readonly Told[] {
    return this.#told.get(exchange) ?? [];
  }

  /** Ends an observation without a word: the next notification meets a Reset. */
  forget(exchange: ExchangeId): void {
    this.#handle.forget(exchange);
  }

  /** close_notify. */
  leave(): void {
    this.#handle.close();
  }

  /** The association breaks without a word from the client. */
  break(): void {
    this.pair.server.ended('connection reset');
  }

  /** What the server sent over UDP so far, lost or not. */
  datagrams(): UdpMessage[] {
    return this.pair.fromServer.map((bytes) => {
      const decoded = decodeUdp(bytes);
      if (!decoded.ok) throw new Error(`the server sent a malformed datagram: ${decoded.error.code}`);
      return decoded.value;
    });
  }

  #of(exchange: ExchangeId): Told[] {
    const told = this.#told.get(exchange) ?? [];
    this.#told.set(exchange, told);
    return told;
  }

  #heard(exchange: ExchangeId, request: Request): void {
    const body = decodeHeartbeat(request.payload);
    if (!body.ok || request.code !== METHOD.put)
      throw new Error('the server asks for nothing but heartbeats');
    const path = textOptions(request.options, OPTION.uriPath) ?? [];
    this.heartbeats.push({ at: this.#world.nowMs, path, ...body.value });
    if (this.answering)
      this.#handle.respond(exchange, { code: RESPONSE.changed, options: [], payload: new Uint8Array(0) });
    else this.#handle.ignore(exchange);
  }
}
