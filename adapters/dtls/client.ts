/** `connectDtls`: a DOTS client's end of the signal channel over UDP (RFC 9132 §7). */
import type { Socket } from 'node:dgram';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { provenCredential } from '../pki/credential.ts';
import { certificateNames } from '../pki/server-name.ts';
import { addressOfHost } from '../tls/addresses.ts';
import { HandshakeError } from '../tls/handshake-error.ts';
import type { Psk } from '../tls/psk.ts';
import { Connection } from './connection.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, DEFAULT_MTU } from './defaults.ts';
import { SecureContext } from './secure-context.ts';
import { DtlsSession, endingReason } from './session.ts';
import { everySweep } from './sweep.ts';
import { connectUdp } from './udp-socket.ts';

export interface ConnectDtlsOptions {
  /** Address literal, or a name for the system's resolver. */
  readonly host: string;
  readonly port: number;
  /** PEM: the authorities that may have issued the server's certificate. Without it only PSK is offered. */
  readonly ca?: string;
  /** PEM: own certificate, then intermediates. */
  readonly cert?: string;
  /** PEM, PKCS#8. */
  readonly key?: string;
  readonly psk?: Psk;
  /** The name or address the server's certificate must carry, sent as SNI when a name; `host` when absent. */
  readonly serverName?: string;
  /** What `ticket()` of an earlier session gave: resumes it, or handshakes in full when the server has forgotten. */
  readonly session?: Uint8Array;
  /** For the whole handshake. Default 30 s. */
  readonly timeoutMs?: number;
  /** Largest datagram in bytes; default 1232, what IPv6 leaves of 1280 (RFC 9132 §7.3). */
  readonly mtu?: number;
  readonly signal?: AbortSignal;
}

export interface ClientSession extends SecureSession {
  /** To resume this session by later, also from another process; undefined when the server gave no ticket. */
  ticket(): Uint8Array | undefined;
  /**
   * How long the handshake took, in milliseconds: an upper bound of the round trip. Absent when a flight had to be repeated:
   * the time then tells of the loss, and a client that waits by it hardly repeats anything (RFC 6298 §3).
   */
  readonly roundTripAtMostMs?: number;
}

/** Rejects with a `HandshakeError`, or with a plain error on options that cannot work. */
export async function connectDtls(options: ConnectDtlsOptions): Promise<ClientSession> {
  const context = new SecureContext({
    role: 'client',
    mtu: options.mtu ?? DEFAULT_MTU,
    serverName: options.serverName ?? options.host,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.psk === undefined ? {} : { psk: options.psk }),
  });
  return makeClient(context, options).connect();
}

function makeClient(context: SecureContext, options: ConnectDtlsOptions): DtlsClient {
  try {
    return new DtlsClient(context, options);
  } catch (error) {
    context.free();
    throw error;
  }
}

class DtlsClient {
  readonly #context: SecureContext;
  readonly #options: ConnectDtlsOptions;
  readonly #connection: Connection;
  readonly #startedAt = performance.now();
  readonly #serverName: string;
  #socket: Socket | undefined;
  #session: DtlsSession | undefined;
  #retransmitAt = Number.POSITIVE_INFINITY;
  #helloAt = 0;
  #repeated = false;
  #over = false;
  #stopSweeping: () => void = () => undefined;
  #resolve: (session: ClientSession) => void = () => undefined;
  #reject: (error: HandshakeError) => void = () => undefined;

  constructor(context: SecureContext, options: ConnectDtlsOptions) {
    this.#context = context;
    this.#options = options;
    this.#serverName = options.serverName ?? options.host;
    this.#connection = new Connection(context, options.mtu ?? DEFAULT_MTU, {
      transmit: (datagram) => this.#socket?.send(datagram),
      deliver: (message) => this.#session?.onMessage?.(message),
    });
  }

  connect(): Promise<ClientSession> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#options.signal?.addEventListener('abort', this.#abort, { once: true });
      this.#stopSweeping = everySweep((now) => this.#sweep(now));
      if (this.#options.signal?.aborted === true) this.#abort();
      else void this.#open();
    });
  }

  async #open(): Promise<void> {
    const { host, port, session } = this.#options;
    try {
      const socket = await connectUdp(await addressOfHost(host), port, {
        onDatagram: (datagram) => {
          this.#connection.receive(datagram);
          this.#settle();
        },
        // After the handshake a forged refusal must not end what only the peer's close_notify or silence may end.
        onError: (error) => {
          if (this.#session === undefined)
            this.#fail(new HandshakeError('unreachable', error.message, { cause: error }));
        },
      });
      if (this.#over) {
        socket.close();
        return;
      }
      this.#socket = socket;
    } catch (error) {
      this.#fail(
        new HandshakeError('unreachable', `Cannot reach ${host}: ${String(error)}`, { cause: error }),
      );
      return;
    }
    this.#helloAt = performance.now();
    this.#connection.start(session);
    this.#settle();
  }

  /** After every step of the association: has it opened, ended, or does a flight wait for its answer? */
  #settle(): void {
    if (this.#over) return;
    if (this.#connection.state === 'established' && this.#session === undefined) this.#establish();
    if (this.#connection.state === 'closed') {
      this.#ended();
      return;
    }
    const afterMs = this.#session === undefined ? this.#connection.retransmitAfterMs : undefined;
    this.#retransmitAt = afterMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + afterMs;
  }

  #establish(): void {
    const { facts } = this.#connection;
    const credential = provenCredential(facts, Date.now() / 1000);
    // Resumption does not compare names again: a session of another server must not pass for this one's.
    const otherServer =
      facts.certificate !== undefined && !certificateNames(facts.certificate, this.#serverName);
    if (credential === undefined || otherServer) {
      this.#fail(new HandshakeError('untrusted', `The server has not proven to be ${this.#serverName}`));
      return;
    }
    const remote = { address: this.#socket?.remoteAddress().address ?? '', port: this.#options.port };
    const session = new DtlsSession(this.#connection, remote, credential, facts.resumed, (reason) =>
      this.#close(reason),
    );
    // Kept aside: a session is resumed when its association is gone.
    const ticket = this.#connection.session;
    this.#session = session;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    const measured = this.#repeated ? {} : { roundTripAtMostMs: performance.now() - this.#helloAt };
    this.#resolve(Object.assign(session, { ticket: () => ticket, ...measured }));
    // The owner sets its handlers when the promise resolves; what came with the handshake is read after that.
    setImmediate(() => {
      this.#connection.readPending();
      this.#settle();
    });
  }

  #ended(): void {
    const reason = endingReason(this.#connection.ending);
    if (this.#session === undefined) {
      const failure = /certificate verify failed/.test(reason) ? 'untrusted' : 'refused';
      this.#fail(new HandshakeError(failure, `DTLS handshake with ${this.#options.host} failed: ${reason}`));
      return;
    }
    this.#close(reason);
  }

  #sweep(now: number): void {
    if (
      this.#session === undefined &&
      now - this.#startedAt > (this.#options.timeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS)
    ) {
      this.#fail(
        new HandshakeError('timeout', `${this.#options.host} has not completed the DTLS handshake in time`),
      );
      return;
    }
    if (now < this.#retransmitAt) return;
    this.#repeated = true;
    this.#connection.retransmit();
    this.#settle();
  }

  readonly #abort = (): void => {
    this.#fail(new HandshakeError('aborted', 'The DTLS handshake was given up'));
  };

  #fail(error: HandshakeError): void {
    if (this.#over) return;
    this.#release();
    this.#reject(error);
  }

  #close(reason: string): void {
    if (this.#over) return;
    this.#release();
    this.#session?.ended(reason);
  }

  #release(): void {
    this.#over = true;
    this.#stopSweeping();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#connection.dispose();
    const socket = this.#socket;
    // A last flight (close_notify, an alert) may still be on its way into the socket; the context outlives a call under way.
    setImmediate(() => {
      socket?.close();
      this.#context.free();
    });
  }
}
