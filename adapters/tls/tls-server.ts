/** TCP connections let in, proven by TLS, handed over as sessions. */
import { hkdfSync } from 'node:crypto';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { createServer as createSecureServer, type Server as SecureServer, type TLSSocket } from 'node:tls';
import type { Credential } from '#core/ports/secure-session.ts';
import { provenCredential } from '../pki/credential.ts';
import { formatEndpoint } from './addresses.ts';
import { reportFault } from './fault.ts';
import { reasonOf } from './handshake-error.ts';
import { HandshakeLimits, type HandshakeRates } from './handshake-limits.ts';
import { proofOfClient } from './proof.ts';
import type { ListenTlsOptions, TlsListener, TlsStats } from './server.ts';
import { TlsSession } from './session.ts';
import { GROUPS, SESSION_ID_CONTEXT, suitesFor, TICKET_SECONDS, TLS_1_3_SUITES } from './suites.ts';
import type { LimitReason } from './trace.ts';

/** RFC 8323 §8.2: the protocol a client names on ports other than 5684. */
export const ALPN_COAP = 'coap';

export interface TlsServerLimits {
  readonly maxSessions: number;
  readonly maxPending: number;
  readonly maxSessionsPerHost: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxUnsentBytes: number;
  readonly rates: HandshakeRates;
}

export class TlsServer implements TlsListener {
  readonly #options: ListenTlsOptions;
  readonly #settings: TlsServerLimits;
  readonly #secure: SecureServer;
  readonly #fronts: TcpServer[] = [];
  readonly #limits: HandshakeLimits;
  /** Every TCP connection let in, proven or not, and how many of them each address has. */
  readonly #connections = new Set<Socket>();
  readonly #perHost = new Map<string, number>();
  readonly #sessions = new Set<TlsSession>();
  readonly #counters = { handshakes: 0, established: 0, resumed: 0, failed: 0, dropped: 0, faults: 0 };
  #closing: Promise<void> | undefined;

  constructor(options: ListenTlsOptions, settings: TlsServerLimits) {
    this.#options = options;
    this.#settings = settings;
    this.#limits = new HandshakeLimits(settings.rates, performance.now());
    this.#secure = this.#createSecureServer();
  }

  get addresses(): readonly string[] {
    return this.#fronts.map((front) => {
      const bound = front.address();
      if (bound === null || typeof bound === 'string') throw new Error('The TLS listener is not bound');
      return formatEndpoint(bound.address, bound.port);
    });
  }

  async bind(host: string | readonly string[], port: number): Promise<void> {
    let chosen = port;
    for (const address of [host].flat()) {
      const front = createTcpServer((socket) => {
        this.#letIn(socket);
      });
      await new Promise<void>((resolve, reject) => {
        front.once('error', reject);
        front.listen(
          { host: address, port: chosen, ipv6Only: address.includes(':'), exclusive: true },
          () => {
            front.off('error', reject);
            resolve();
          },
        );
      });
      this.#fronts.push(front);
      const bound = front.address();
      if (bound !== null && typeof bound !== 'string') chosen = bound.port;
    }
  }

  stats(): TlsStats {
    const sessions = this.#sessions.size;
    return { sessions, pending: this.#connections.size - sessions, ...this.#counters };
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#secure.setTicketKeys(ticketKeysForNode(keys));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#fronts.map(
      (front) =>
        new Promise<void>((done) => {
          front.close(() => {
            done();
          });
        }),
    );
    for (const session of [...this.#sessions]) session.closeBecause('listener closed');
    // Whoever has not answered the close_notify by then is cut off.
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of [...this.#connections]) socket.destroySoon();
    await Promise.all(closed);
  }

  #createSecureServer(): SecureServer {
    const { ca, cert, key, pskKey, ticketKeys } = this.#options;
    if (cert !== undefined && ca === undefined)
      throw new Error('A server with a certificate needs the authorities of its clients');
    const suites = suitesFor({ psk: pskKey !== undefined, certificate: cert !== undefined });
    const server = createSecureServer({
      minVersion: 'TLSv1.2',
      maxVersion: cert === undefined ? 'TLSv1.2' : 'TLSv1.3',
      ciphers: [...TLS_1_3_SUITES, ...suites].join(':'),
      honorCipherOrder: true,
      ecdhCurve: GROUPS,
      requestCert: true,
      // Node would refuse PSK peers too, for having no certificate: `proof.ts` decides, from what was verified.
      rejectUnauthorized: false,
      sessionIdContext: SESSION_ID_CONTEXT,
      sessionTimeout: TICKET_SECONDS,
      handshakeTimeout: this.#settings.handshakeTimeoutMs,
      ALPNProtocols: [ALPN_COAP],
      ...(ca === undefined ? { ca: [] } : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(ticketKeys === undefined ? {} : { ticketKeys: ticketKeysForNode(ticketKeys) }),
      ...(pskKey === undefined
        ? {}
        : { pskCallback: (socket: TLSSocket, identity: string) => this.#answerPsk(socket, identity) }),
    });
    server.on('secureConnection', (socket) => {
      this.#open(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      this.#failed(endpointOf(socket), reasonOf(error));
      socket.destroy();
    });
    return server;
  }

  /**
   * Only TLS 1.2 records in the session which PSK it was made with; of TLS 1.3 we could not tell a PSK from a resumed session,
   * so there nobody is proven by one.
   */
  #answerPsk(socket: TLSSocket, identity: string): Uint8Array | null {
    if (socket.getProtocol() === 'TLSv1.3') return null;
    try {
      return this.#options.pskKey?.(identity) ?? null;
    } catch (error) {
      this.#fault(endpointOf(socket), error);
      return null;
    }
  }

  #letIn(socket: Socket): void {
    const address = socket.remoteAddress;
    // Gone before we looked.
    if (address === undefined || this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    const refusal = this.#refusal(address);
    if (refusal !== undefined) {
      this.#counters.dropped++;
      this.#options.onTrace?.({ type: 'dropped', remote: endpointOf(socket), reason: refusal });
      socket.destroy();
      return;
    }
    this.#counters.handshakes++;
    this.#connections.add(socket);
    this.#perHost.set(address, (this.#perHost.get(address) ?? 0) + 1);
    socket.on('close', () => {
      this.#connections.delete(socket);
      const left = (this.#perHost.get(address) ?? 1) - 1;
      if (left > 0) this.#perHost.set(address, left);
      else this.#perHost.delete(address);
    });
    socket.setNoDelay(true);
    this.#secure.emit('connection', socket);
  }

  #refusal(address: string): LimitReason | undefined {
    const { maxSessions, maxPending, maxSessionsPerHost } = this.#settings;
    if (this.#sessions.size >= maxSessions) return 'session-limit';
    if (this.#connections.size - this.#sessions.size >= maxPending) return 'pending-limit';
    if ((this.#perHost.get(address) ?? 0) >= maxSessionsPerHost) return 'host-limit';
    const admission = this.#limits.admit(address, performance.now());
    return admission === 'admitted' ? undefined : admission;
  }

  #open(socket: TLSSocket): void {
    const remote = endpointOf(socket);
    const credential = this.#proven(socket);
    if (credential === undefined) {
      this.#failed(remote, 'the peer has proven no identity');
      socket.destroy();
      return;
    }
    const session = new TlsSession(socket, credential, this.#settings.maxUnsentBytes);
    this.#sessions.add(session);
    this.#counters.established++;
    if (session.resumed) this.#counters.resumed++;
    const { kind } = credential;
    this.#options.onTrace?.({
      type: 'opened',
      remote,
      kind,
      cipher: socket.getCipher().name,
      resumed: session.resumed,
    });
    socket.setTimeout(this.#settings.idleTimeoutMs, () => {
      session.closeBecause('idle');
    });
    session.start(
      (reason) => {
        this.#sessions.delete(session);
        this.#options.onTrace?.({ type: 'closed', remote, reason });
      },
      (error) => {
        this.#fault(remote, error);
      },
    );
    try {
      this.#options.onSession(session);
    } catch (error) {
      session.closeBecause('fault');
      this.#fault(remote, error);
    }
  }

  /** A ticket may name a certificate that has expired, or a PSK that has been withdrawn since. */
  #proven(socket: TLSSocket): Credential | undefined {
    const credential = provenCredential(proofOfClient(socket), Date.now() / 1000);
    const withdrawn =
      credential?.kind === 'psk' && this.#options.pskKey?.(credential.pskIdentity) === undefined;
    return withdrawn ? undefined : credential;
  }

  #failed(remote: string, reason: string): void {
    this.#counters.failed++;
    this.#options.onTrace?.({ type: 'handshake-failed', remote, reason });
  }

  #fault(remote: string, error: unknown): void {
    this.#counters.faults++;
    reportFault(this.#options.onTrace, remote, error);
  }
}

function endpointOf(socket: Socket): string {
  return formatEndpoint(socket.remoteAddress ?? '', socket.remotePort ?? 0);
}

/** Node takes one key of 48 bytes; derived, so that tickets of one transport mean nothing to the other. */
function ticketKeysForNode(keys: readonly Uint8Array[]): Buffer {
  const [current] = keys;
  if (current === undefined) throw new RangeError('At least one ticket key is needed');
  return Buffer.from(hkdfSync('sha256', current, '', 'tocsin session tickets over tcp', 48));
}
