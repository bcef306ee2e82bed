/**
 * The front of the DTLS listener: which datagram belongs to whom.
 *
 *   epoch-0 ClientHello ──> queue ──> no or wrong cookie ──> HelloVerifyRequest, nothing kept
 *                                 └─> good cookie ──> a handshake begins (pending)
 *   record of a pending peer ──> queue ──> its handshake ──> established: takes the place of an older session there
 *   record of an established peer ──> decrypted at once ──> onMessage
 */
import { randomBytes } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import { equalBytes } from '#core/base/bytes.ts';
import { formatEndpoint } from '../tls/addresses.ts';
import { HandshakeLimits, type HandshakeRates } from '../tls/handshake-limits.ts';
import { type AssociationSettings, Associations } from './associations.ts';
import { type ClientHello, looksLikeClientHello, parseClientHello } from './client-hello.ts';
import { CookieSecrets } from './cookie.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import { CONTENT_TYPE, peekRecord } from './records.ts';
import type { SecureContext } from './secure-context.ts';
import type { DtlsListener, DtlsStats } from './server.ts';
import { everySweep } from './sweep.ts';
import type { DropReason } from './trace.ts';
import { bindUdp, localAddresses } from './udp-socket.ts';

export interface DtlsServerSettings extends AssociationSettings {
  readonly rates: HandshakeRates;
}

/** A datagram of a stranger, or of a peer whose handshake is under way. */
interface Arrival {
  readonly socket: Socket;
  /** Remote address and port, local socket. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly datagram: Uint8Array;
  readonly hello: ClientHello | undefined;
}

/** A cookie is good for one to two of these. */
const COOKIE_SECRET_MS = 60_000;
const IDLE_CHECK_MS = 1_000;
const COOKIE_SECRET_BYTES = 32;

export class DtlsServer implements DtlsListener {
  readonly #context: SecureContext;
  readonly #settings: DtlsServerSettings;
  readonly #associations: Associations;
  readonly #limits: HandshakeLimits;
  readonly #queue: HandshakeQueue<Arrival>;
  readonly #cookies = new CookieSecrets(randomBytes(COOKIE_SECRET_BYTES));
  readonly #sockets: Socket[] = [];
  readonly #stopSweeping: () => void;
  #cookiesFrom = performance.now();
  #idleCheckedAt = performance.now();
  #helloVerifyRequests = 0;
  #dropped = 0;
  #closing: Promise<void> | undefined;

  constructor(context: SecureContext, settings: DtlsServerSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#associations = new Associations(context, settings);
    this.#limits = new HandshakeLimits(settings.rates, performance.now());
    this.#queue = new HandshakeQueue(
      (arrival) => {
        this.#note(arrival, this.#handleStranger(arrival));
      },
      () => performance.now(),
      (slice) => setImmediate(slice),
    );
    this.#stopSweeping = everySweep((now) => {
      this.#sweep(now);
    });
  }

  get addresses(): readonly string[] {
    return this.#sockets.map((socket) => formatEndpoint(socket.address().address, socket.address().port));
  }

  /** Rejects when one of the addresses cannot be had; what is bound by then is closed by `close`. */
  async bind(host: string | readonly string[], port: number, shared: boolean): Promise<void> {
    let chosen = port;
    for (const address of [host].flat().flatMap(localAddresses)) {
      const index = this.#sockets.length;
      const socket = await bindUdp(address, chosen, shared, {
        onDatagram: (datagram, from) => {
          this.#onDatagram(socket, index, datagram, from);
        },
        onError: (error) => this.#settings.onTrace?.({ type: 'socket-error', error }),
      });
      this.#sockets.push(socket);
      chosen = socket.address().port;
    }
  }

  stats(): DtlsStats {
    const { peers, counters } = this.#associations;
    return {
      sessions: peers.sessions.size,
      pending: peers.pending.size,
      queued: this.#queue.length,
      helloVerifyRequests: this.#helloVerifyRequests,
      dropped: this.#dropped,
      ...counters,
    };
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#context.setTicketKeys(keys);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopSweeping();
    this.#queue.clear();
    this.#associations.closeAll('listener closed');
    // Each close_notify is handed to its socket in this turn of the loop; a closed socket sends nothing more.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(
      this.#sockets.map(
        (socket) =>
          new Promise<void>((done) => {
            socket.close(done);
          }),
      ),
    );
    this.#context.free();
  }

  #onDatagram(socket: Socket, index: number, datagram: Uint8Array, from: RemoteInfo): void {
    if (this.#closing !== undefined) return;
    const { address, port } = from;
    const key = `${address} ${port} ${index}`;
    const hello = looksLikeClientHello(datagram) ? parseClientHello(datagram) : undefined;
    const arrival = { socket, key, address, port, datagram, hello };
    this.#note(arrival, this.#route(arrival));
  }

  /** Established peers are served at once, everything else waits in the queue. Returns why the datagram is dropped. */
  #route(arrival: Arrival): DropReason | undefined {
    const { key, datagram, hello } = arrival;
    const record = peekRecord(datagram);
    if (record === undefined) return 'too-short';
    if (hello === undefined && looksLikeClientHello(datagram)) return 'malformed-hello';
    if (hello !== undefined) {
      const knowsCookie = hello.part === 'later' || hello.cookie.length > 0;
      return this.#queue.push(knowsCookie ? 'returning' : 'first', arrival) ? undefined : 'queue-full';
    }
    const { sessions, pending } = this.#associations.peers;
    const live = sessions.get(key);
    const starting = pending.has(key);
    if (live === undefined && !starting) return 'unknown-peer';
    if (live === undefined || (starting && isOfHandshake(record)))
      return this.#queue.push('returning', arrival) ? undefined : 'queue-full';
    live.heardAt = performance.now();
    this.#associations.receive(live, datagram);
    return undefined;
  }

  /** From the queue. Returns why the datagram is dropped. */
  #handleStranger(arrival: Arrival): DropReason | undefined {
    const { key, datagram, hello } = arrival;
    if (hello?.part === 'first') return this.#handleHello(arrival, hello);
    const { sessions, pending } = this.#associations.peers;
    const peer = pending.get(key) ?? (hello === undefined ? sessions.get(key) : undefined);
    if (peer === undefined) return 'unknown-peer';
    this.#associations.receive(peer, datagram);
    return undefined;
  }

  #handleHello(arrival: Arrival, hello: Extract<ClientHello, { part: 'first' }>): DropReason | undefined {
    const { datagram, key, address, port, socket } = arrival;
    const { peers } = this.#associations;
    if (!this.#cookies.isValid(hello, key)) {
      this.#helloVerifyRequests++;
      socket.send(this.#cookies.request(hello, key), port, address);
      return undefined;
    }
    const starting = peers.pending.get(key);
    if (starting !== undefined && equalBytes(starting.helloRandom, hello.random)) {
      this.#associations.receive(starting, datagram);
      return undefined;
    }
    // The hello the live session began with, late or replayed: it was answered long ago.
    const live = peers.sessions.get(key);
    if (live !== undefined && equalBytes(live.helloRandom, hello.random)) return 'repeated-hello';
    const refusal = peers.refusal(key, address);
    if (refusal !== undefined) return refusal;
    const admission = this.#limits.admit(address, performance.now());
    if (admission !== 'admitted') return admission;
    if (starting !== undefined) this.#associations.discard(starting);
    const transmit = (bytes: Uint8Array): void => {
      socket.send(bytes, port, address);
    };
    this.#associations.begin(
      { key, address, port, transmit },
      hello.random.slice(),
      datagram,
      hello.recordLength,
    );
    return undefined;
  }

  #note(arrival: Arrival, reason: DropReason | undefined): void {
    if (reason === undefined) return;
    this.#dropped++;
    const { onTrace } = this.#settings;
    if (onTrace !== undefined)
      onTrace({ type: 'dropped', remote: formatEndpoint(arrival.address, arrival.port), reason });
  }

  #sweep(now: number): void {
    this.#associations.sweepPending(now);
    if (now - this.#cookiesFrom > COOKIE_SECRET_MS) {
      this.#cookiesFrom = now;
      this.#cookies.rotate(randomBytes(COOKIE_SECRET_BYTES));
    }
    if (now - this.#idleCheckedAt > IDLE_CHECK_MS) {
      this.#idleCheckedAt = now;
      this.#associations.sweepIdle(now);
    }
  }
}

/** A record that can only belong to a handshake, not to the live session at the same address. */
function isOfHandshake(record: { readonly type: number; readonly epoch: number }): boolean {
  return (
    record.epoch === 0 ||
    record.type === CONTENT_TYPE.handshake ||
    record.type === CONTENT_TYPE.changeCipherSpec
  );
}
