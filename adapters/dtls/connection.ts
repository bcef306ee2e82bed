/**
 * One DTLS association (RFC 6347) over memory: datagrams go in by `receive`, datagrams come out by `transmit`. No socket, no
 * timer of its own: the owner calls `retransmit` when `retransmitAfterMs` has passed.
 */
import { nativeCallback, openssl, type Pointer, takeErrors } from './openssl.ts';
import {
  BIO_C_SET_BUF_MEM_EOF_RETURN,
  BIO_CTRL_RESET,
  SSL_CTRL,
  SSL_ERROR,
  X509_CHECK_FLAG,
  X509_V_OK,
} from './openssl-constants.ts';
import { certificateDer } from './pem.ts';
import { packRecords, RECORD_HEADER_LENGTH, withoutImpossibleRecords } from './records.ts';
import type { SecureContext } from './secure-context.ts';

export interface ConnectionEvents {
  /** One datagram for the peer. The bytes are the receiver's to keep. */
  readonly transmit: (datagram: Uint8Array) => void;
  /** One message from the peer, decrypted. The bytes are the receiver's to keep. */
  readonly deliver: (message: Uint8Array) => void;
}

export type ConnectionState = 'handshaking' | 'established' | 'closed';

/** How it ended: by the peer's close_notify, by ours, or by a failure that an alert has told the peer. */
export type Ending = 'peer-closed' | 'closed' | { readonly failure: string };

export interface ConnectionFacts {
  readonly cipher: string;
  /** DER of the peer's certificate: verified, or carried by the ticket on resumption. */
  readonly certificate: Uint8Array | undefined;
  readonly pskIdentity: string | undefined;
  readonly resumed: boolean;
}

/** Larger than any datagram DTLS can use; a record has at most 2^14 bytes of plaintext (RFC 6347 §4.1). */
export const LONGEST_DATAGRAM = 16_384;
/** RFC 6347 §4.2.4.1 doubles up to 60 s; a peer under attack cannot wait: 1, 2, 3, 3 … seconds. */
const FIRST_TIMEOUT_US = 1_000_000;
const LONGEST_TIMEOUT_US = 3_000_000;

export class Connection {
  readonly #events: ConnectionEvents;
  readonly #mtu: number;
  #ssl: Pointer;
  /** Bytes of a protected record at least; more exactly once the suite is known. The first is a Finished of 40 and more. */
  #shortestProtected = 24;
  #state: ConnectionState = 'handshaking';
  #ending: Ending | undefined;
  /** Depth of calls under way: an association is never freed below its own feet. */
  #busy = 0;
  #disposed = false;

  constructor(context: SecureContext, mtu: number, events: ConnectionEvents) {
    const api = openssl();
    this.#events = events;
    this.#mtu = mtu;
    this.#ssl = api.SSL_new(context.pointer);
    if (this.#ssl === null) throw new Error(`No new association: ${takeErrors()}`);
    const { input, output } = wires();
    api.BIO_up_ref(input);
    api.BIO_up_ref(output);
    api.SSL_set_bio(this.#ssl, input, output);
    this.#setMtu();
    api.DTLS_set_timer_cb(this.#ssl, retransmissionTimer());
    if (context.options.role === 'server') api.SSL_set_accept_state(this.#ssl);
    else this.#aim(context.options.serverName);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Set once the state is `closed`. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Server: begins with the record of a ClientHello whose cookie is good. */
  accept(helloRecord: Uint8Array): void {
    this.#run(() => {
      this.#write(helloRecord);
      // The peer address is required (a null pointer crashes) and not used: the cookie callback does not look at it.
      const heard = openssl().DTLSv1_listen(this.#ssl, unusedAddress());
      if (heard !== 1) {
        this.#fail(`ClientHello refused: ${takeErrors()}`);
        return;
      }
      this.#setMtu();
      this.#handshake();
    });
  }

  /** Client: sends the first ClientHello, resuming the session of an earlier ticket when one is given. */
  start(session?: Uint8Array): void {
    this.#run(() => {
      if (session !== undefined) this.#resume(session);
      this.#handshake();
    });
  }

  /** One datagram from the peer. Forged or damaged records are dropped in silence (RFC 6347 §4.1.2.7). */
  receive(datagram: Uint8Array): void {
    const records = withoutImpossibleRecords(datagram, this.#shortestProtected);
    if (records.length === 0 || records.length > LONGEST_DATAGRAM) return;
    this.#run(() => {
      this.#write(records);
      if (this.#state === 'handshaking') this.#handshake();
      else this.#read();
    });
  }

  /** One record, one datagram. False when closed, not yet established, or above `maxPayload`. */
  send(message: Uint8Array): boolean {
    if (this.#state !== 'established' || message.length > this.maxPayload || message.length === 0)
      return false;
    return this.#run(() => {
      const { SSL_write, ERR_clear_error } = openssl();
      ERR_clear_error();
      return SSL_write(this.#ssl, message, message.length) === message.length;
    });
  }

  /** Milliseconds until the current flight is to be repeated; undefined when none waits for an answer. */
  get retransmitAfterMs(): number | undefined {
    if (this.#state === 'closed') return undefined;
    if (openssl().SSL_ctrl(this.#ssl, SSL_CTRL.dtlsGetTimeout, 0, TIMEVAL) !== 1) return undefined;
    return (
      Number(TIMEVAL_VIEW.getBigInt64(0, true)) * 1000 +
      Math.ceil(Number(TIMEVAL_VIEW.getBigInt64(8, true)) / 1000)
    );
  }

  retransmit(): void {
    this.#run(() => {
      const { SSL_ctrl, ERR_clear_error } = openssl();
      ERR_clear_error();
      if (SSL_ctrl(this.#ssl, SSL_CTRL.dtlsHandleTimeout, 0, null) < 0)
        this.#fail(`No answer: ${takeErrors()}`);
    });
  }

  /** Tells an established peer with close_notify, then closes. */
  close(): void {
    this.#run(() => {
      if (this.#state === 'established') openssl().SSL_shutdown(this.#ssl);
      this.#end('closed');
    });
  }

  /** Ends an established association whose peer turned out to be nobody we know. */
  refuse(failure: string): void {
    this.#run(() => {
      openssl().SSL_shutdown(this.#ssl);
      this.#fail(failure);
    });
  }

  /** Of an established association. */
  get facts(): ConnectionFacts {
    const api = openssl();
    const certificate = api.SSL_get1_peer_certificate(this.#ssl);
    const der = certificate === null ? undefined : certificateDer(certificate);
    if (certificate !== null) api.X509_free(certificate);
    const pskIdentity = api.SSL_get_psk_identity(this.#ssl) ?? undefined;
    const verified = api.SSL_get_verify_result(this.#ssl) === X509_V_OK;
    return {
      cipher: api.SSL_CIPHER_get_name(api.SSL_get_current_cipher(this.#ssl)),
      certificate: verified ? der : undefined,
      pskIdentity: der === undefined ? pskIdentity : undefined,
      resumed: api.SSL_session_reused(this.#ssl) === 1,
    };
  }

  /** Bytes of one message at most (RFC 9132 §7.3: MTU less record header, nonce, tag and padding). OpenSSL does not check it. */
  maxPayload = 0;

  /** The session with its ticket, to resume by later; undefined when there is none. */
  get session(): Uint8Array | undefined {
    if (this.#ssl === null) return undefined;
    const { SSL_get1_session, SSL_SESSION_free, i2d_SSL_SESSION } = openssl();
    const session = SSL_get1_session(this.#ssl);
    if (session === null) return undefined;
    const bytes = new Uint8Array(i2d_SSL_SESSION(session, [null]));
    i2d_SSL_SESSION(session, [bytes]);
    SSL_SESSION_free(session);
    return bytes;
  }

  /** Frees the native state, at once or when the call under way has returned. */
  dispose(): void {
    this.#disposed = true;
    this.#freeIfDone();
  }

  #aim(serverName: string): void {
    const api = openssl();
    api.SSL_set_connect_state(this.#ssl);
    api.SSL_set_hostflags(this.#ssl, X509_CHECK_FLAG.noWildcards | X509_CHECK_FLAG.neverCheckSubject);
    // For an IP literal this is the whole check, and no name is indicated (RFC 6066 §3).
    if (api.X509_VERIFY_PARAM_set1_ip_asc(api.SSL_get0_param(this.#ssl), serverName) === 1) return;
    if (!isHostName(serverName) || api.SSL_set1_host(this.#ssl, serverName) !== 1) {
      this.dispose();
      throw new Error(`Not a server name: ${serverName}`);
    }
    api.SSL_ctrl(this.#ssl, SSL_CTRL.setServerName, 0, Buffer.from(`${serverName}\0`));
  }

  #resume(session: Uint8Array): void {
    const { d2i_SSL_SESSION, SSL_set_session, SSL_SESSION_free, ERR_clear_error } = openssl();
    const parsed = d2i_SSL_SESSION(null, [session], session.length);
    // A session we cannot read is no reason not to connect: a full handshake follows.
    if (parsed === null) {
      ERR_clear_error();
      return;
    }
    SSL_set_session(this.#ssl, parsed);
    SSL_SESSION_free(parsed);
  }

  #setMtu(): void {
    openssl().SSL_ctrl(this.#ssl, SSL_CTRL.setMtu, this.#mtu, null);
  }

  #handshake(): void {
    const api = openssl();
    api.ERR_clear_error();
    const result = api.SSL_do_handshake(this.#ssl);
    if (result === 1) {
      this.#state = 'established';
      this.maxPayload = Number(api.DTLS_get_data_mtu(this.#ssl));
      this.#shortestProtected = this.#mtu - RECORD_HEADER_LENGTH - this.maxPayload;
      return;
    }
    const error = api.SSL_get_error(this.#ssl, result);
    if (error !== SSL_ERROR.wantRead && error !== SSL_ERROR.wantWrite) this.#fail(this.#handshakeProblem());
  }

  #handshakeProblem(): string {
    const { SSL_get_verify_result, X509_verify_cert_error_string } = openssl();
    const verify = SSL_get_verify_result(this.#ssl);
    const reasons = takeErrors();
    return verify === X509_V_OK ? reasons : `${reasons}: ${X509_verify_cert_error_string(verify)}`;
  }

  /** Delivers what has arrived. Messages that came with the last flight of the handshake wait inside OpenSSL until then. */
  readPending(): void {
    this.#run(() => {
      this.#read();
    });
  }

  #read(): void {
    const api = openssl();
    while (this.#state === 'established') {
      api.ERR_clear_error();
      const length = api.SSL_read(this.#ssl, PLAINTEXT, PLAINTEXT.length);
      if (length > 0) {
        this.#events.deliver(PLAINTEXT.slice(0, length));
        continue;
      }
      const error = api.SSL_get_error(this.#ssl, length);
      if (error === SSL_ERROR.wantRead || error === SSL_ERROR.wantWrite) return;
      if (error !== SSL_ERROR.zeroReturn) {
        this.#fail(takeErrors());
        return;
      }
      api.SSL_shutdown(this.#ssl);
      this.#end('peer-closed');
      return;
    }
  }

  #write(datagram: Uint8Array): void {
    const { BIO_ctrl, BIO_write } = openssl();
    const { input } = wires();
    BIO_ctrl(input, BIO_CTRL_RESET, 0, null);
    BIO_write(input, datagram, datagram.length);
  }

  #flush(): void {
    const { BIO_read } = openssl();
    const length = BIO_read(wires().output, FLIGHT, FLIGHT.length);
    if (length <= 0) return;
    for (const datagram of packRecords(FLIGHT.subarray(0, length), this.#mtu))
      this.#events.transmit(datagram);
  }

  #fail(failure: string): void {
    this.#end({ failure });
  }

  #end(ending: Ending): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#ending = ending;
  }

  /** Every way into OpenSSL: sends what it produced, alerts included, and frees what was disposed of meanwhile. */
  #run<T>(work: () => T): T | false {
    if (this.#ssl === null || this.#disposed) return false;
    this.#busy++;
    try {
      const result = work();
      this.#flush();
      return result;
    } finally {
      this.#busy--;
      this.#freeIfDone();
    }
  }

  #freeIfDone(): void {
    if (!this.#disposed || this.#busy > 0 || this.#ssl === null) return;
    openssl().SSL_free(this.#ssl);
    this.#ssl = null;
  }
}

/** OpenSSL takes an empty name for no name, and compares none. */
const isHostName = (name: string): boolean => /^[\x21-\x7e]{1,253}$/.test(name);

const PLAINTEXT = new Uint8Array(new ArrayBuffer(LONGEST_DATAGRAM + 256));
/** Room for the longest flight: our certificate chain. */
const FLIGHT = new Uint8Array(new ArrayBuffer(131_072));
/** struct timeval: seconds and microseconds, 8 bytes each. */
const TIMEVAL = new Uint8Array(new ArrayBuffer(16));
const TIMEVAL_VIEW = new DataView(TIMEVAL.buffer);

interface Wires {
  readonly input: Pointer;
  readonly output: Pointer;
}

let sharedWires: Wires | undefined;

/**
 * One pair of memory BIOs for all associations: each call writes its datagram, runs, and reads everything out again, so
 * nothing of one is left for the next, and an idle association owns no buffer.
 */
function wires(): Wires {
  if (sharedWires === undefined) {
    const { BIO_new, BIO_s_mem, BIO_ctrl } = openssl();
    sharedWires = { input: BIO_new(BIO_s_mem()), output: BIO_new(BIO_s_mem()) };
    for (const bio of [sharedWires.input, sharedWires.output])
      BIO_ctrl(bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, null);
  }
  return sharedWires;
}

let sharedAddress: Pointer | undefined;

function unusedAddress(): Pointer {
  sharedAddress ??= openssl().BIO_ADDR_new();
  return sharedAddress;
}

let sharedTimer: bigint | undefined;

function retransmissionTimer(): bigint {
  sharedTimer ??= nativeCallback('upu', (_ssl: Pointer, previousUs: number) =>
    previousUs === 0 ? FIRST_TIMEOUT_US : Math.min(previousUs * 2, LONGEST_TIMEOUT_US),
  );
  return sharedTimer;
}
