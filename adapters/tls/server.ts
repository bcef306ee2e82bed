/** `listenTls`: the signal channel over TCP (RFC 9132 §3, RFC 8323 §8.2), with the same proofs and limits as over UDP. */
import type { SecureListener, SecureSession } from '#core/ports/secure-session.ts';
import { DEFAULT_RATES, type HandshakeRates } from './handshake-limits.ts';
import { TlsServer } from './tls-server.ts';
import type { TlsTrace } from './trace.ts';

export interface ListenTlsOptions {
  /** Address literals; a wildcard is one socket here. */
  readonly host: string | readonly string[];
  /** 0: any free port, the same for all addresses. */
  readonly port: number;
  /** PEM: authorities of the clients. */
  readonly ca?: string;
  /** PEM: own certificate, then intermediates. */
  readonly cert?: string;
  /** PEM, PKCS#8. */
  readonly key?: string;
  /**
   * The key of a PSK identity, at once; undefined refuses the peer. PSK is a matter of TLS 1.2: TLS 1.3 is for certificates,
   * and a client with a PSK only must not offer it.
   */
  readonly pskKey?: (identity: string) => Uint8Array | undefined;
  /**
   * The keys of `listenDtls`, current first. Only the current one counts here: after a rotation, tickets of the previous one
   * lead to a full handshake.
   */
  readonly ticketKeys?: readonly Uint8Array[];
  /** Default 10,000. */
  readonly maxSessions?: number;
  /** Handshakes under way; default 1000. */
  readonly maxPending?: number;
  /** Connections of one remote address; default no limit but `maxSessions`. */
  readonly maxSessionsPerHost?: number;
  /** Default 30 s. */
  readonly handshakeTimeoutMs?: number;
  /** A connection without a byte in either direction for so long is closed; default one hour. */
  readonly idleTimeoutMs?: number;
  /** What may wait for a peer that does not read; beyond, it is closed. Default 256 KiB. */
  readonly maxUnsentBytes?: number;
  readonly handshakeRates?: HandshakeRates;
  /** Called as soon as a peer is proven; sets the session's handlers before it returns. */
  readonly onSession: (session: SecureSession) => void;
  readonly onTrace?: (event: TlsTrace) => void;
}

export interface TlsStats {
  readonly sessions: number;
  readonly pending: number;
  /** Counters since the start. */
  readonly handshakes: number;
  readonly established: number;
  readonly resumed: number;
  readonly failed: number;
  readonly dropped: number;
  readonly faults: number;
}

export interface TlsListener extends SecureListener {
  stats(): TlsStats;
  setTicketKeys(keys: readonly Uint8Array[]): void;
}

/** Rejects when an address cannot be bound or an option cannot work. */
export async function listenTls(options: ListenTlsOptions): Promise<TlsListener> {
  const server = new TlsServer(options, {
    maxSessions: options.maxSessions ?? 10_000,
    maxPending: options.maxPending ?? 1000,
    maxSessionsPerHost: options.maxSessionsPerHost ?? Number.POSITIVE_INFINITY,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 30_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 3_600_000,
    maxUnsentBytes: options.maxUnsentBytes ?? 262_144,
    rates: options.handshakeRates ?? DEFAULT_RATES,
  });
  try {
    await server.bind(options.host, options.port);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
