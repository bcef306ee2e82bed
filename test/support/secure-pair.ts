/** The two ends of a secured association in memory: what one sends the other receives at the next `deliver`, unless lost. */
import type { IdentityId } from '#core/model/identifiers.ts';
import type { Credential, SecureSession } from '#core/ports/secure-session.ts';

export interface PairOptions {
  readonly identityId: IdentityId;
  readonly transport?: 'udp' | 'tcp';
  readonly resumed?: boolean;
  /** Of the client, as the server sees it. */
  readonly address?: string;
  /** Of the client's certificate; absent: a PSK. */
  readonly notAfter?: number;
}

export class SecurePair {
  readonly client: End;
  readonly server: End;
  /** True loses everything on that way. */
  lost = { toServer: false, toClient: false };
  /** Every datagram that the server sent, lost or not. */
  readonly fromServer: Uint8Array[] = [];
  /** Without bytes: close_notify. */
  readonly #way: { readonly to: End; readonly bytes?: Uint8Array }[] = [];

  constructor(options: PairOptions) {
    const { identityId, transport = 'udp', resumed = false, address = '198.51.100.7', notAfter } = options;
    const credential: Credential =
      notAfter === undefined
        ? { kind: 'psk', identityId, pskIdentity: 'test' }
        : { kind: 'certificate', identityId, subject: 'CN=test', notAfter };
    const facts = { transport, credential, resumed, maxPayload: transport === 'udp' ? 1152 : Infinity };
    this.server = new End({ ...facts, remote: { address, port: 50_000 } }, (bytes) => {
      this.fromServer.push(bytes);
      if (!this.lost.toClient) this.#way.push({ to: this.client, bytes });
    });
    this.client = new End({ ...facts, remote: { address: '192.0.2.254', port: 4646 } }, (bytes) => {
      if (!this.lost.toServer) this.#way.push({ to: this.server, bytes });
    });
    this.server.onEnd = () => {
      if (!this.lost.toClient) this.#way.push({ to: this.client });
    };
    this.client.onEnd = () => {
      if (!this.lost.toServer) this.#way.push({ to: this.server });
    };
  }

  /** True when something was under way. */
  deliver(): boolean {
    const arrived = this.#way.splice(0);
    for (const { to, bytes } of arrived) {
      if (bytes === undefined) to.ended('peer-closed');
      else to.onMessage?.(bytes.slice());
    }
    return arrived.length > 0;
  }
}

type Facts = Pick<SecureSession, 'transport' | 'credential' | 'resumed' | 'maxPayload' | 'remote'>;

class End implements SecureSession {
  readonly transport: 'udp' | 'tcp';
  readonly credential: Credential;
  readonly resumed: boolean;
  readonly maxPayload: number;
  readonly remote: SecureSession['remote'];
  onMessage: SecureSession['onMessage'];
  onClose: SecureSession['onClose'];
  onEnd: (() => void) | undefined;
  readonly #transmit: (bytes: Uint8Array) => void;
  #closed = false;

  constructor(facts: Facts, transmit: (bytes: Uint8Array) => void) {
    this.transport = facts.transport;
    this.credential = facts.credential;
    this.resumed = facts.resumed;
    this.maxPayload = facts.maxPayload;
    this.remote = facts.remote;
    this.#transmit = transmit;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed || bytes.length > this.maxPayload) return false;
    this.#transmit(bytes);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onEnd?.();
  }

  /** The peer's end, or the network's. */
  ended(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose?.(reason);
  }
}
