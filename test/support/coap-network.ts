/** Two endpoints on a virtual clock with a network between them that loses, doubles and reorders, all from one seed. */
import { createEndpoint } from '#core/coap/endpoint.ts';
import type { CoapEndpoint, EndpointOptions, Input, Output } from '#core/coap/endpoint-io.ts';
import { endpointOptions } from './coap-peer.ts';
import { seededRandom } from './seeded-random.ts';

export interface Conditions {
  readonly seed: number;
  /** Probability that a datagram is lost, in either direction. */
  readonly loss?: number;
  readonly duplication?: number;
  /** One-way delay: this and up to `jitterMs` more, by which datagrams overtake each other. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
}

/** What an application does with the outputs that concern it; `give` answers at once. */
export type Application = (output: Output, give: (input: Input) => void) => void;

interface Side {
  readonly endpoint: CoapEndpoint;
  readonly application: Application;
  readonly other: 'left' | 'right';
}

interface InFlight {
  readonly to: 'left' | 'right';
  readonly bytes: Uint8Array;
  readonly at: number;
}

export class CoapNetwork {
  now = 0;
  /** Datagrams or pieces of stream handed to the network. */
  sent = 0;
  readonly #conditions: Conditions;
  readonly #random: () => number;
  readonly #sides: { readonly left: Side; readonly right: Side };
  #inFlight: InFlight[] = [];

  constructor(
    conditions: Conditions,
    left: Application,
    right: Application,
    options: Partial<EndpointOptions> = {},
  ) {
    this.#conditions = conditions;
    this.#random = seededRandom(conditions.seed);
    const make = (random: number): CoapEndpoint =>
      createEndpoint({ ...endpointOptions(options), random: seededRandom(random) });
    this.#sides = {
      left: { endpoint: make(conditions.seed * 2 + 1), application: left, other: 'right' },
      right: { endpoint: make(conditions.seed * 2 + 2), application: right, other: 'left' },
    };
  }

  give(name: 'left' | 'right', input: Input): void {
    const side = this.#sides[name];
    for (const output of side.endpoint.step(input, this.now)) {
      if (output.type === 'transmit') this.#carry(side.other, output.bytes);
      else side.application(output, (answer) => this.give(name, answer));
    }
  }

  /** Runs until nothing is under way and no deadline lies before `until`. */
  run(until: number): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      this.now = Math.max(this.now, next.at);
      if (next.arrival === undefined) this.give(next.to, { type: 'tick' });
      else {
        this.#inFlight = this.#inFlight.filter((other) => other !== next.arrival);
        this.give(next.to, { type: 'received', bytes: next.arrival.bytes });
      }
    }
    this.now = until;
  }

  #next(): { at: number; to: 'left' | 'right'; arrival?: InFlight } | undefined {
    let next: { at: number; to: 'left' | 'right'; arrival?: InFlight } | undefined;
    for (const arrival of this.#inFlight)
      if (next === undefined || arrival.at < next.at) next = { at: arrival.at, to: arrival.to, arrival };
    for (const to of ['left', 'right'] as const) {
      const at = this.#sides[to].endpoint.deadline;
      if (at !== undefined && (next === undefined || at < next.at)) next = { at, to };
    }
    return next;
  }

  #carry(to: 'left' | 'right', bytes: Uint8Array): void {
    this.sent++;
    const { loss = 0, duplication = 0, delayMs = 20, jitterMs = 0 } = this.#conditions;
    const copies = this.#random() < loss ? 0 : this.#random() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.#inFlight.push({ to, bytes: bytes.slice(), at: this.now + delayMs + this.#random() * jitterMs });
  }
}
