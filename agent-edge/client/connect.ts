/**
 * Opens the secured session to a DOTS server: DTLS over UDP is preferred (RFC 9132 §4.3), TLS over TCP joins in when UDP
 * has not succeeded after a head start, and the first to complete is used.
 */
import { type ClientSession, connectDtls } from '#adapters/dtls/client.ts';
import { connectTls } from '#adapters/tls/client.ts';
import { HandshakeError } from '#adapters/tls/handshake-error.ts';
import type { Credentials } from './credentials.ts';

export type TransportChoice = 'auto' | 'udp' | 'tcp';

export interface ConnectOptions {
  /** Address, or a name. */
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly transport: TransportChoice;
  readonly credentials: Credentials;
  /** For both transports together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const HEAD_START_MS = 2_000;

/** Rejects with a `HandshakeError`. The caller takes over the session before it awaits anything else. */
export async function connectSecurely(options: ConnectOptions): Promise<ClientSession> {
  if (options.transport !== 'auto') return attempt(options, options.transport, options.signal);
  const udp = new AbortController();
  const tcp = new AbortController();
  const abortBoth = (): void => {
    udp.abort();
    tcp.abort();
  };
  options.signal?.addEventListener('abort', abortBoth, { once: true });
  try {
    return await firstOf(options, udp, tcp);
  } finally {
    options.signal?.removeEventListener('abort', abortBoth);
  }
}

function firstOf(
  options: ConnectOptions,
  udp: AbortController,
  tcp: AbortController,
): Promise<ClientSession> {
  return new Promise((resolve, reject) => {
    let won = false;
    let tcpStarted = false;
    const failures: unknown[] = [];
    const win = (session: ClientSession, other: AbortController): void => {
      clearTimeout(headStart);
      if (won) {
        session.close();
        return;
      }
      won = true;
      other.abort();
      resolve(session);
    };
    const lose = (error: unknown): void => {
      failures.push(error);
      if (!won && failures.length === 2) reject(asError(mostTelling(failures)));
    };
    const startTcp = (): void => {
      if (tcpStarted || won) return;
      tcpStarted = true;
      attempt(options, 'tcp', tcp.signal).then((session) => win(session, udp), lose);
    };
    const headStart = setTimeout(startTcp, HEAD_START_MS);
    attempt(options, 'udp', udp.signal).then(
      (session) => win(session, tcp),
      (error: unknown) => {
        lose(error);
        clearTimeout(headStart);
        // A server that refuses, or is not who it should be, is the same over TCP: only the path may differ.
        if (isOfThePath(error)) startTcp();
        else if (!tcpStarted) lose(error);
      },
    );
  });
}

function attempt(
  { host, udpPort, tcpPort, credentials, timeoutMs }: ConnectOptions,
  transport: 'udp' | 'tcp',
  signal: AbortSignal | undefined,
): Promise<ClientSession> {
  const common = { ...credentials.handshake, host, timeoutMs, ...(signal === undefined ? {} : { signal }) };
  return transport === 'udp'
    ? connectDtls({ ...common, port: udpPort })
    : connectTls({ ...common, port: tcpPort });
}

const isOfThePath = (error: unknown): boolean =>
  error instanceof HandshakeError && (error.failure === 'timeout' || error.failure === 'unreachable');

/** Of two failures the one that is not merely silence. */
const mostTelling = (errors: readonly unknown[]): unknown =>
  errors.find((error) => !isOfThePath(error)) ?? errors.at(-1);

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
