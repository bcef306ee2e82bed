/** A secured association over a network that loses, delays, doubles and reorders, all from one seed. */
import type { IdentityId } from '#core/model/identifiers.ts';
import type { Credential, SecureSession } from '#core/ports/secure-session.ts';
import { seededRandom } from '#test/support/seeded-random.ts';

export interface Conditions {
  /** Probability that a datagram is lost, each way by itself. */
  readonly loss: { readonly toServer: number; readonly toClient: number };
  /** Probability that one that is not lost arrives twice. */
  readonly duplication: number;
  /** One way: this and up to `jitterMs` more, by which datagrams overtake each other. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

export const CALM: Conditions = {
  loss: { toServer: 0, toClient: 0 },
  duplication: 0,
  delayMs: 20,
  jitterMs: 20,
};

type Way = keyof Conditions['loss'];

export class LossyPath {
  readonly client: End;
  readonly server: End;
  /** Open to change while the simulation runs. */
  conditions: Conditions;
  /** Handed to the network, lost or not. */
  readonly sent: Readonly<Record<Way, { readonly at: number; readonly bytes: Uint8Array }[]>> = {
    toServer: [],
    toClient: [],
  };
  readonly #schedule: (afterMs: number, work: () => void) => void;
  readonly #now: () => number;
  readonly #random: () => number;

  constructor(
    identityId: IdentityId,
    seed: number,
    conditions: Conditions,
    now: () => number,
    schedule: (afterMs: number, work: () => void) => void,
  ) {
    this.conditions = conditions;
    this.#schedule = schedule;
    this.#now = now;
    this.#random = seededRandom(seed);
    const credential: Credential = { kind: 'psk', identityId, pskIdentity: 'simulated' };
    this.client = new End(credential, { address: '192.0.2.254', port: 4646 }, (bytes) =>
      this.#carry('toServer', bytes),
    );
    this.server = new End(credential, { address: '198.51.100.7', port: 50_000 }, (bytes) =>
      this.#carry('toClient', bytes),
    );
  }

  #carry(way: Way, bytes: Uint8Array): void {
    this.sent[way].push({ at: this.#now(), bytes });
    const { loss, duplication, delayMs, jitterMs } = this.conditions;
    if (this.#random() < loss[way]) return;
    const to = way === 'toServer' ? this.server : this.client;
    for (let copies = this.#random() < duplication ? 2 : 1; copies > 0; copies--) {
      const copy = bytes.slice();
      this.#schedule(delayMs + this.#random() * jitterMs, () => to.onMessage?.(copy));
    }
  }
}

/** Neither end tells the other when it closes: on a path like this the word would be lost as well. */
class End implements SecureSession {
  readonly transport = 'udp';
  readonly resumed = false;
  readonly maxPayload = 1152;
  readonly credential: Credential;
  readonly remote: SecureSession['remote'];
  onMessage: SecureSession['onMessage'];
  onClose: SecureSession['onClose'];
  isClosed = false;
  readonly #transmit: (bytes: Uint8Array) => void;

  constructor(
    credential: Credential,
    remote: SecureSession['remote'],
    transmit: (bytes: Uint8Array) => void,
  ) {
    this.credential = credential;
    this.remote = remote;
    this.#transmit = transmit;
  }

  send(bytes: Uint8Array): boolean {
    if (this.isClosed || bytes.length > this.maxPayload) return false;
    this.#transmit(bytes);
    return true;
  }

  close(): void {
    this.isClosed = true;
  }
}
