/** One endpoint under test and a peer played by hand, message by message, on a virtual clock: tests read like packet traces. */
import { createEndpoint } from '#core/coap/endpoint.ts';
import type { CoapEndpoint, CoapTrace, EndpointOptions, Input, Output } from '#core/coap/endpoint-io.ts';
import type { CoapOption, Message, Request, Response } from '#core/coap/message.ts';
import { encodeTcp, TcpDecoder } from '#core/coap/tcp-message.ts';
import { decodeUdp, encodeEmptyUdp, encodeUdp, type UdpMessage } from '#core/coap/udp-message.ts';
import { seededRandom } from './seeded-random.ts';

export const CON = 0;
export const NON = 1;
export const ACK = 2;
export const RST = 3;

export const DOTS_PARAMETERS = { ackTimeoutMs: 2000, ackRandomFactor: 1.5, maxRetransmit: 3, probingRate: 5 };

export const endpointOptions = (changes: Partial<EndpointOptions> = {}): EndpointOptions => ({
  transport: 'udp',
  parameters: DOTS_PARAMETERS,
  maxPayload: 1152,
  maxBody: 16_384,
  separateAfterMs: 500,
  random: seededRandom(1),
  ...changes,
});

export const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const option = (number: number, ...values: number[]): CoapOption => ({
  number,
  value: bytesOf(...values),
});
/** A body whose bytes tell their place. */
export const body = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) + seed) & 0xff);

export const request = (code: number, changes: Partial<Request> = {}): Request => ({
  code,
  options: [],
  payload: bytesOf(),
  confirmable: true,
  ...changes,
});
export const response = (code: number, changes: Partial<Response> = {}): Response => ({
  code,
  options: [],
  payload: bytesOf(),
  ...changes,
});

export type Of<T extends Output['type']> = Extract<Output, { type: T }>;

/** What a test says of a message; what it leaves out is empty. */
export interface Said {
  readonly token?: Uint8Array;
  readonly options?: readonly CoapOption[];
  readonly payload?: Uint8Array;
}

const full = (code: number, said: Said): Message => ({
  code,
  token: said.token ?? bytesOf(),
  options: said.options ?? [],
  payload: said.payload ?? bytesOf(),
});

abstract class Peer {
  readonly endpoint: CoapEndpoint;
  now = 0;
  readonly #outputs: Output[] = [];

  constructor(options: EndpointOptions) {
    this.endpoint = createEndpoint(options);
  }

  /** Gives an input at the present time. */
  give(input: Input): void {
    this.#outputs.push(...this.endpoint.step(input, this.now));
  }

  receives(bytes: Uint8Array): void {
    this.give({ type: 'received', bytes });
  }

  /** Lets the clock run to `at`, ticking at each deadline on the way. */
  runTo(at: number): void {
    for (let deadline = this.endpoint.deadline; deadline !== undefined && deadline <= at; ) {
      this.now = Math.max(this.now, deadline);
      this.give({ type: 'tick' });
      deadline = this.endpoint.deadline;
    }
    this.now = at;
  }

  /** Takes every output of this type out of what has come. */
  take<T extends Output['type']>(type: T): Of<T>[] {
    const taken = this.#outputs.filter((output): output is Of<T> => output.type === type);
    const rest = this.#outputs.filter((output) => output.type !== type);
    this.#outputs.splice(0, this.#outputs.length, ...rest);
    return taken;
  }

  /** The one output of this type; anything else is a failure. */
  one<T extends Output['type']>(type: T): Of<T> {
    const [only, ...more] = this.take(type);
    if (only === undefined || more.length > 0)
      throw new Error(`${only === undefined ? 0 : more.length + 1} outputs of type ${type}`);
    return only;
  }

  traces(): CoapTrace['kind'][] {
    return this.take('trace').map(({ event }) => event.kind);
  }

  /** Answers the one request handed up. */
  answer(answer: Response): number {
    const { exchange } = this.one('request');
    this.give({ type: 'respond', exchange, response: answer });
    return exchange;
  }
}

/** A peer over UDP. */
export class UdpPeer extends Peer {
  constructor(changes: Partial<EndpointOptions> = {}) {
    super(endpointOptions(changes));
  }

  says(type: number, code: number, messageId: number, said: Said = {}): void {
    this.receives(encodeUdp(type, messageId, full(code, said)));
  }

  saysEmpty(type: number, messageId: number): void {
    this.receives(encodeEmptyUdp(type, messageId));
  }

  /** Every datagram since the last look. */
  datagrams(): Uint8Array[] {
    return this.take('transmit').map(({ bytes }) => bytes);
  }

  hears(): UdpMessage[] {
    return this.datagrams().map((bytes) => {
      const decoded = decodeUdp(bytes);
      if (!decoded.ok) throw new Error(`the endpoint sent a malformed datagram: ${decoded.error.code}`);
      return decoded.value;
    });
  }

  hearsOne(): UdpMessage {
    const [only, ...more] = this.hears();
    if (only === undefined || more.length > 0)
      throw new Error(`${only === undefined ? 0 : more.length + 1} messages`);
    return only;
  }
}

/** A peer over TCP. */
export class TcpPeer extends Peer {
  readonly #decoder = new TcpDecoder(1 << 20);

  constructor(changes: Partial<EndpointOptions> = {}) {
    super(endpointOptions({ transport: 'tcp', maxPayload: Infinity, ...changes }));
    this.give({ type: 'tick' });
  }

  says(code: number, said: Said = {}): void {
    this.receives(encodeTcp(full(code, said)));
  }

  hears(): Message[] {
    const messages: Message[] = [];
    for (const { bytes } of this.take('transmit')) {
      const pushed = this.#decoder.push(bytes, (message) => messages.push(message) > 0);
      if (!pushed.ok) throw new Error(`the endpoint sent a malformed frame: ${pushed.error}`);
    }
    return messages;
  }

  hearsOne(): Message {
    const [only, ...more] = this.hears();
    if (only === undefined || more.length > 0)
      throw new Error(`${only === undefined ? 0 : more.length + 1} messages`);
    return only;
  }

  /** Past the exchange of CSMs. */
  introduced(): this {
    this.hears();
    this.says(0xe1);
    return this;
  }
}
