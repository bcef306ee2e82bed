/**
 * The life of a listener's associations: handshake under way, established, over. Datagrams come from `dtls-server.ts`, which
 * knows whose they are.
 */

import type { SecureSession } from '#core/ports/secure-session.ts';
import { provenCredential } from '../pki/credential.ts';
import { formatEndpoint } from '../tls/addresses.ts';
import { reportFault } from '../tls/fault.ts';
import { Connection } from './connection.ts';
import { type Peer, type PeerLimits, PeerTable } from './peer-table.ts';
import type { SecureContext } from './secure-context.ts';
import { DtlsSession, endingReason } from './session.ts';
import type { DtlsTrace } from './trace.ts';

export interface AssociationSettings {
  readonly mtu: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly limits: PeerLimits;
  readonly pskKey: ((identity: string) => Uint8Array | undefined) | undefined;
  readonly onSession: (session: SecureSession) => void;
  readonly onTrace: ((event: DtlsTrace) => void) | undefined;
}

/** Whose handshake begins, and how to reach it. */
export interface Origin {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly transmit: (datagram: Uint8Array) => void;
}

export class Associations {
  readonly peers: PeerTable;
  readonly counters = {
    handshakes: 0,
    established: 0,
    resumed: 0,
    failed: 0,
    retransmissions: 0,
    faults: 0,
  };
  readonly #context: SecureContext;
  readonly #settings: AssociationSettings;

  constructor(context: SecureContext, settings: AssociationSettings) {
    this.#context = context;
    this.#settings = settings;
    this.peers = new PeerTable(settings.limits);
  }

  /**
   * Begins the handshake of a hello whose cookie is good; `recordLength` is the hello's share of the datagram.
   * RFC 6347 §4.2.8: a session at the same address lives on until this handshake has completed.
   */
  begin(origin: Origin, helloRandom: Uint8Array, datagram: Uint8Array, recordLength: number): void {
    const { key, address, port, transmit } = origin;
    const now = performance.now();
    const peer: Peer = {
      key,
      address,
      port,
      helloRandom,
      startedAt: now,
      heardAt: now,
      retransmitAt: Number.POSITIVE_INFINITY,
      session: undefined,
      connection: new Connection(this.#context, this.#settings.mtu, {
        transmit,
        deliver: (message) => peer.session?.onMessage?.(message),
      }),
    };
    this.peers.pending.set(key, peer);
    this.counters.handshakes++;
    this.#step(peer, () => {
      peer.connection.accept(datagram.subarray(0, recordLength));
    });
    // Later fragments of a long hello may stand behind the first in one datagram.
    if (datagram.length > recordLength && this.peers.pending.get(key) === peer)
      this.receive(peer, datagram.subarray(recordLength));
  }

  receive(peer: Peer, datagram: Uint8Array): void {
    this.#step(peer, () => {
      peer.connection.receive(datagram);
    });
  }

  /** Drops a handshake under way without a word. */
  discard(peer: Peer): void {
    this.peers.remove(peer);
    peer.connection.dispose();
  }

  /** Repeats flights, ends handshakes that take too long. */
  sweepPending(now: number): void {
    for (const peer of [...this.peers.pending.values()]) {
      if (now - peer.startedAt > this.#settings.handshakeTimeoutMs) {
        this.#finish(peer, 'handshake timed out');
      } else if (now >= peer.retransmitAt) {
        this.counters.retransmissions++;
        this.#step(peer, () => {
          peer.connection.retransmit();
        });
      }
    }
  }

  /** Closes peers not heard of for too long. */
  sweepIdle(now: number): void {
    for (const peer of [...this.peers.sessions.values()])
      if (now - peer.heardAt > this.#settings.idleTimeoutMs)
        this.#guard(peer, () => peer.session?.closeBecause('idle'));
  }

  /** Says close_notify to everyone established, forgets the others. */
  closeAll(reason: string): void {
    for (const peer of [...this.peers.sessions.values()])
      this.#guard(peer, () => peer.session?.closeBecause(reason));
    for (const peer of [...this.peers.pending.values()]) this.discard(peer);
  }

  /** One step of an association, and what follows: it has opened, has ended, or a flight waits for its answer. */
  #step(peer: Peer, work: () => void): void {
    const { connection } = peer;
    this.#guard(peer, () => {
      work();
      if (connection.state === 'established' && peer.session === undefined) this.#establish(peer);
      if (connection.state === 'closed') this.#finish(peer, endingReason(connection.ending));
      const afterMs = peer.session === undefined ? connection.retransmitAfterMs : undefined;
      peer.retransmitAt = afterMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + afterMs;
    });
  }

  #establish(peer: Peer): void {
    const { connection } = peer;
    const { facts } = connection;
    const credential = provenCredential(facts, Date.now() / 1000);
    // A ticket may name a PSK that has been withdrawn since.
    const withdrawn =
      credential?.kind === 'psk' && this.#settings.pskKey?.(credential.pskIdentity) === undefined;
    if (credential === undefined || withdrawn) {
      connection.refuse('the peer has proven no identity');
      return;
    }
    const remote = { address: peer.address, port: peer.port };
    const session = new DtlsSession(connection, remote, credential, facts.resumed, (reason) => {
      this.#finish(peer, reason);
    });
    peer.session = session;
    const replaced = this.peers.establish(peer);
    if (replaced !== undefined) this.#retire(replaced, 'replaced');
    this.counters.established++;
    if (facts.resumed) this.counters.resumed++;
    this.#settings.onTrace?.({
      type: 'opened',
      remote: formatEndpoint(peer.address, peer.port),
      kind: credential.kind,
      cipher: facts.cipher,
      resumed: facts.resumed,
    });
    this.#settings.onSession(session);
    connection.readPending();
  }

  /** The association is over: forgets the peer and tells whoever is concerned. */
  #finish(peer: Peer, reason: string): void {
    if (this.peers.remove(peer)) this.#retire(peer, reason);
  }

  #retire(peer: Peer, reason: string): void {
    const remote = formatEndpoint(peer.address, peer.port);
    peer.connection.dispose();
    if (peer.session !== undefined) {
      this.#settings.onTrace?.({ type: 'closed', remote, reason });
      try {
        peer.session.ended(reason);
      } catch (error) {
        this.#fault(remote, error);
      }
      return;
    }
    this.counters.failed++;
    this.#settings.onTrace?.({ type: 'handshake-failed', remote, reason });
    const fault = this.#context.takePskFault();
    if (fault !== undefined) this.#fault(remote, fault);
  }

  /** A fault while serving one peer ends that peer's session, not the service. */
  #guard(peer: Peer, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (peer.connection.state === 'established') peer.connection.close();
      this.#finish(peer, 'fault');
      this.#fault(formatEndpoint(peer.address, peer.port), error);
    }
  }

  #fault(remote: string, error: unknown): void {
    this.counters.faults++;
    reportFault(this.#settings.onTrace, remote, error);
  }
}
