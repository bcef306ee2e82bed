/** `listenDtls`: many peers on few UDP sockets, each proven before it costs anything (RFC 6347 §4.2.1, RFC 9132 §7). */
import type { SecureListener, SecureSession } from '#core/ports/secure-session.ts';
import { DEFAULT_RATES, type HandshakeRates } from '../tls/handshake-limits.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, DEFAULT_MTU } from './defaults.ts';
import { DtlsServer } from './dtls-server.ts';
import { SecureContext } from './secure-context.ts';
import type { DtlsTrace } from './trace.ts';

export interface ListenDtlsOptions {
  /** Address literals. A wildcard stands for every address this machine has at the start, one socket each. */
  readonly host: string | readonly string[];
  /** 0: any free port, the same for all addresses. */
  readonly port: number;
  /** PEM: authorities of the clients. */
  readonly ca?: string;
  /** PEM: own certificate, then intermediates. */
  readonly cert?: string;
  /** PEM, PKCS#8. */
  readonly key?: string;
  /** The key of a PSK identity, at once; undefined refuses the peer. Without it no PSK suite is offered. */
  readonly pskKey?: (identity: string) => Uint8Array | undefined;
  /** 80 bytes each, current first, previous ones still accepted; the same in every process of a service. Random when absent. */
  readonly ticketKeys?: readonly Uint8Array[];
  /** Largest datagram in bytes; default 1232 (RFC 9132 §7.3). */
  readonly mtu?: number;
  /** Default 10,000. */
  readonly maxSessions?: number;
  /** Handshakes under way; default 1000. */
  readonly maxPending?: number;
  /** Sessions of one remote address; default no limit but `maxSessions`. */
  readonly maxSessionsPerHost?: number;
  /** Default 30 s. */
  readonly handshakeTimeoutMs?: number;
  /** A peer not heard of for so long is closed; default one hour. */
  readonly idleTimeoutMs?: number;
  readonly handshakeRates?: HandshakeRates;
  /** Let other processes bind the same port (SO_REUSEPORT): the kernel spreads peers over them. */
  readonly reusePort?: boolean;
  /** Called as soon as a peer is proven; sets the session's handlers before it returns. */
  readonly onSession: (session: SecureSession) => void;
  readonly onTrace?: (event: DtlsTrace) => void;
}

export interface DtlsStats {
  readonly sessions: number;
  readonly pending: number;
  /** Datagrams waiting for their turn. */
  readonly queued: number;
  /** Counters since the start. */
  readonly helloVerifyRequests: number;
  readonly handshakes: number;
  readonly established: number;
  readonly resumed: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly dropped: number;
  readonly faults: number;
}

export interface DtlsListener extends SecureListener {
  stats(): DtlsStats;
  /** As `ticketKeys`: the new one first, then those still to be accepted. */
  setTicketKeys(keys: readonly Uint8Array[]): void;
}

const DEFAULT_MAX_SESSIONS = 10_000;
const DEFAULT_MAX_PENDING = 1000;
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

/** Rejects when an address cannot be bound or an option cannot work. */
export async function listenDtls(options: ListenDtlsOptions): Promise<DtlsListener> {
  const context = new SecureContext({
    role: 'server',
    mtu: options.mtu ?? DEFAULT_MTU,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.pskKey === undefined ? {} : { pskKey: options.pskKey }),
    ...(options.ticketKeys === undefined ? {} : { ticketKeys: options.ticketKeys }),
  });
  const server = new DtlsServer(context, {
    mtu: options.mtu ?? DEFAULT_MTU,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
    idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    limits: {
      maxSessions: options.maxSessions ?? DEFAULT_MAX_SESSIONS,
      maxPending: options.maxPending ?? DEFAULT_MAX_PENDING,
      maxSessionsPerHost: options.maxSessionsPerHost ?? Number.POSITIVE_INFINITY,
    },
    rates: options.handshakeRates ?? DEFAULT_RATES,
    pskKey: options.pskKey,
    onSession: options.onSession,
    onTrace: options.onTrace,
  });
  try {
    await server.bind(options.host, options.port, options.reusePort ?? false);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
