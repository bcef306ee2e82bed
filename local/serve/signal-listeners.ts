/** The signal channel's two listeners on one port number: DTLS over UDP and TLS over TCP (RFC 9132 §3). */
import { type DtlsListener, listenDtls } from '#adapters/dtls/server.ts';
import type { DtlsTrace } from '#adapters/dtls/trace.ts';
import { listenTls, type TlsListener } from '#adapters/tls/server.ts';
import type { TlsTrace } from '#adapters/tls/trace.ts';
import type { SecureListener, SecureSession } from '#core/ports/secure-session.ts';
import type { ServerCredentials } from '../pki/credentials.ts';

export interface SignalListenersOptions {
  readonly host: string;
  /** 0: any number that is free for both. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  pskKey(identity: string): Uint8Array | undefined;
  /** 80 bytes each, current first. */
  readonly ticketKeys: readonly Uint8Array[];
  onSession(session: SecureSession): void;
  onTrace(event: DtlsTrace | TlsTrace): void;
}

export interface SignalListeners {
  readonly udp: DtlsListener;
  readonly tcp: TlsListener;
}

/** How often another number is tried when the one UDP was given is taken on TCP. */
const MOST_TRIES = 20;

/** Rejects when a port that was asked for is taken, or after so many tries for any. */
export async function listenSignal(options: SignalListenersOptions): Promise<SignalListeners> {
  const { ca, server } = options.credentials;
  const common = {
    host: options.host,
    ca,
    cert: server.certificate,
    key: server.key,
    pskKey: (identity: string) => options.pskKey(identity),
    ticketKeys: options.ticketKeys,
    onSession: (session: SecureSession) => options.onSession(session),
    onTrace: (event: DtlsTrace | TlsTrace) => options.onTrace(event),
  };
  for (let tries = 1; ; tries++) {
    const udp = await listenDtls({ ...common, port: options.port });
    try {
      return { udp, tcp: await listenTls({ ...common, port: portOf(udp) }) };
    } catch (error) {
      await udp.close();
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || options.port !== 0 || tries === MOST_TRIES) throw error;
    }
  }
}

/** The first address bound: what ready.json and people are told. */
export function addressOf(listener: SecureListener): string {
  const [address] = listener.addresses;
  if (address === undefined) throw new Error('a listener has an address');
  return address;
}

/** Of `127.0.0.1:4646` or `[::1]:4646`. */
function portOf(listener: SecureListener): number {
  const address = addressOf(listener);
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
