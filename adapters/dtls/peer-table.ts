/** Who is known at which address: established peers, handshakes under way, and how many there may be. */
import type { Connection } from './connection.ts';
import type { DtlsSession } from './session.ts';
import type { DropReason } from './trace.ts';

export interface Peer {
  /** Local socket, remote address and port. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly connection: Connection;
  /** Of the ClientHello it began with: a repetition is told from a new start by it. */
  readonly helloRandom: Uint8Array;
  /** Monotonic milliseconds, as all below. */
  readonly startedAt: number;
  retransmitAt: number;
  heardAt: number;
  /** Set once established. */
  session: DtlsSession | undefined;
}

export interface PeerLimits {
  readonly maxSessions: number;
  readonly maxPending: number;
  /** Of one remote address. */
  readonly maxSessionsPerHost: number;
}

export class PeerTable {
  readonly sessions = new Map<string, Peer>();
  /** Handshakes under way; beside a session when its peer starts anew from the same address. */
  readonly pending = new Map<string, Peer>();
  readonly #perHost = new Map<string, number>();
  readonly #limits: PeerLimits;

  constructor(limits: PeerLimits) {
    this.#limits = limits;
  }

  /** Why no handshake may begin for `key`, or undefined. One that is to replace a session counts as none. */
  refusal(key: string, address: string): DropReason | undefined {
    if (!this.pending.has(key) && this.pending.size >= this.#limits.maxPending) return 'pending-limit';
    if (this.sessions.has(key)) return undefined;
    if (this.sessions.size >= this.#limits.maxSessions) return 'session-limit';
    return (this.#perHost.get(address) ?? 0) >= this.#limits.maxSessionsPerHost ? 'host-limit' : undefined;
  }

  /** From pending to established. Returns the peer it takes the place of. */
  establish(peer: Peer): Peer | undefined {
    if (this.pending.get(peer.key) === peer) this.pending.delete(peer.key);
    const replaced = this.sessions.get(peer.key);
    if (replaced !== undefined) this.remove(replaced);
    this.sessions.set(peer.key, peer);
    this.#perHost.set(peer.address, (this.#perHost.get(peer.address) ?? 0) + 1);
    return replaced;
  }

  /** False when it was not there any more. */
  remove(peer: Peer): boolean {
    if (this.pending.get(peer.key) === peer) return this.pending.delete(peer.key);
    if (this.sessions.get(peer.key) !== peer) return false;
    this.sessions.delete(peer.key);
    const left = (this.#perHost.get(peer.address) ?? 1) - 1;
    if (left > 0) this.#perHost.set(peer.address, left);
    else this.#perHost.delete(peer.address);
    return true;
  }
}
