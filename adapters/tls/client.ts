/** `connectTls`: a DOTS client's end of the signal channel over TCP (RFC 9132 §7, RFC 8323 §8.2). */
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { type Proof, provenCredential } from '../pki/credential.ts';
import { certificateNames } from '../pki/server-name.ts';
import { addressOfHost } from './addresses.ts';
import { HandshakeError, type HandshakeFailure, reasonOf } from './handshake-error.ts';
import { hasPskSuite } from './proof.ts';
import type { Psk } from './psk.ts';
import { TlsSession } from './session.ts';
import { GROUPS, suitesFor, TLS_1_3_SUITES } from './suites.ts';
import { openTicket, sealTicket, type Ticket } from './ticket.ts';
import { ALPN_COAP } from './tls-server.ts';

export interface ConnectTlsOptions {
  /** Address literal, or a name for the system's resolver. */
  readonly host: string;
  readonly port: number;
  /** PEM: the authorities that may have issued the server's certificate. Without it only PSK is offered. */
  readonly ca?: string;
  /** PEM: own certificate, then intermediates. */
  readonly cert?: string;
  /** PEM, PKCS#8. */
  readonly key?: string;
  /** With it only TLS 1.2 is offered: TLS 1.3 is for certificates here. */
  readonly psk?: Psk;
  /** The name or address the server's certificate must carry, sent as SNI when a name; `host` when absent. */
  readonly serverName?: string;
  /** What `ticket()` of an earlier session gave: resumes it, or handshakes in full when the server has forgotten. */
  readonly session?: Uint8Array;
  /** For TCP and TLS together. Default 30 s. */
  readonly timeoutMs?: number;
  /** What may wait for a server that does not read; beyond, the session is closed. Default 256 KiB. */
  readonly maxUnsentBytes?: number;
  /** RFC 8323 §8.2: a server that does not negotiate `coap` is left, unless this is false. */
  readonly requireAlpn?: boolean;
  readonly signal?: AbortSignal;
}

export interface TlsClientSession extends SecureSession {
  /** To resume this session by later; undefined as long as the server has given no ticket. */
  ticket(): Uint8Array | undefined;
}

/**
 * Rejects with a `HandshakeError`; throws at once on options that cannot work. Under TLS 1.3 a server refuses a client's
 * certificate after the client has finished: the promise resolves and the session is closed by the peer.
 */
export async function connectTls(options: ConnectTlsOptions): Promise<TlsClientSession> {
  const serverName = options.serverName ?? options.host;
  const earlier = options.session === undefined ? undefined : openTicket(options.session);
  const secure = secureOptions(options, serverName, earlier);
  const host = await addressOfHost(options.host).catch((cause: unknown) => {
    throw new HandshakeError('unreachable', `Cannot find ${options.host}: ${String(cause)}`, { cause });
  });
  if (options.signal?.aborted === true) throw new HandshakeError('aborted', 'The TLS handshake was given up');
  const socket = connect({ ...secure, host, port: options.port });
  let latest: Uint8Array | undefined;
  socket.on('session', (session: Uint8Array) => {
    latest = session;
  });
  await established(socket, options);
  const proof = proofOfServer(socket, options, earlier);
  const session = accept(socket, serverName, proof, options);
  const ticket = (): Uint8Array | undefined =>
    latest === undefined ? undefined : sealTicket({ certificate: proof.certificate, session: latest });
  return Object.assign(session, { ticket });
}

/** Node keeps no certificate of a resumed session: it is the one our ticket was kept with. */
function proofOfServer(socket: TLSSocket, options: ConnectTlsOptions, earlier: Ticket | undefined): Proof {
  const certificate = socket.isSessionReused() ? earlier?.certificate : socket.getPeerX509Certificate()?.raw;
  if (certificate !== undefined) return { certificate, pskIdentity: undefined };
  return { certificate, pskIdentity: hasPskSuite(socket) ? options.psk?.identity : undefined };
}

function secureOptions(
  options: ConnectTlsOptions,
  serverName: string,
  earlier: Ticket | undefined,
): ConnectionOptions {
  const { ca, cert, key, psk } = options;
  if ((cert === undefined) !== (key === undefined))
    throw new Error('A certificate needs its key, and a key its certificate');
  const suites = suitesFor({ psk: psk !== undefined, certificate: ca !== undefined });
  return {
    minVersion: 'TLSv1.2',
    maxVersion: psk === undefined ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: [...TLS_1_3_SUITES, ...suites].join(':'),
    ecdhCurve: GROUPS,
    ALPNProtocols: [ALPN_COAP],
    ca: ca ?? [],
    // RFC 6066 §3: an address is no name to indicate.
    servername: isIP(serverName) === 0 ? serverName : '',
    // Compared once the handshake is over, because resumption must be compared as well and this is not called then.
    checkServerIdentity: () => undefined,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(earlier === undefined ? {} : { session: Buffer.from(earlier.session) }),
    ...(psk === undefined ? {} : { pskCallback: () => ({ identity: psk.identity, psk: psk.key }) }),
  };
}

/** Resolves when Node has verified the peer; rejects, and destroys the socket, when anything comes between. */
function established(socket: TLSSocket, options: ConnectTlsOptions): Promise<void> {
  const { host, timeoutMs = 30_000, signal } = options;
  return new Promise((resolve, reject) => {
    const settle = (error?: HandshakeError): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.off('secureConnect', secured);
      socket.off('close', closed);
      if (error === undefined) {
        socket.off('error', failed);
        resolve();
        return;
      }
      socket.destroy();
      reject(error);
    };
    const secured = (): void => {
      settle();
    };
    const failed = (error: NodeJS.ErrnoException): void => {
      settle(
        new HandshakeError(failureOf(error), `TLS handshake with ${host} failed: ${reasonOf(error)}`, {
          cause: error,
        }),
      );
    };
    const closed = (): void => {
      settle(new HandshakeError('refused', `${host} has closed the connection during the TLS handshake`));
    };
    const abort = (): void => {
      settle(new HandshakeError('aborted', 'The TLS handshake was given up'));
    };
    const timer = setTimeout(() => {
      settle(new HandshakeError('timeout', `${host} has not completed the TLS handshake in time`));
    }, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', secured);
    socket.on('error', failed);
    socket.once('close', closed);
  });
}

function accept(socket: TLSSocket, serverName: string, proof: Proof, options: ConnectTlsOptions): TlsSession {
  const refuse = (why: string): never => {
    socket.on('error', () => undefined);
    socket.destroy();
    throw new HandshakeError('untrusted', why);
  };
  const credential = provenCredential(proof, Date.now() / 1000);
  if (credential === undefined) return refuse(`${serverName} has proven no identity`);
  if (proof.certificate !== undefined && !certificateNames(proof.certificate, serverName))
    return refuse(`The server's certificate is not for ${serverName}`);
  if (socket.alpnProtocol !== ALPN_COAP && options.requireAlpn !== false)
    return refuse(`${serverName} does not speak coap here: it has not negotiated ALPN`);
  socket.setNoDelay(true);
  const session = new TlsSession(socket, credential, options.maxUnsentBytes ?? 262_144);
  session.start(
    () => undefined,
    (error) => {
      // A handler of the owner threw: the session is closed, and the fault is not ours to hide.
      throw error;
    },
  );
  return session;
}

function failureOf(error: NodeJS.ErrnoException): HandshakeFailure {
  const { code = '' } = error;
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/.test(code)) return 'unreachable';
  return code.startsWith('ERR_SSL_') || code.startsWith('ECONN') || code === 'EPIPE' || code === 'EPROTO'
    ? 'refused'
    : 'untrusted';
}
