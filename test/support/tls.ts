/** A TLS echo server for tests of the transport over TCP. */
import { type ListenTlsOptions, listenTls, type TlsListener } from '#adapters/tls/server.ts';
import type { TlsTrace } from '#adapters/tls/trace.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';

export interface TlsEchoServer {
  readonly listener: TlsListener;
  readonly port: number;
  readonly sessions: SecureSession[];
  readonly traces: TlsTrace[];
  /** Reasons sessions ended for, in order. */
  readonly closed: string[];
}

const running: TlsListener[] = [];

/** Answers all bytes with themselves, on a free port of 127.0.0.1 unless `options` says otherwise. */
export async function startTlsEcho(options: Partial<ListenTlsOptions>): Promise<TlsEchoServer> {
  const sessions: SecureSession[] = [];
  const traces: TlsTrace[] = [];
  const closed: string[] = [];
  const listener = await listenTls({
    host: '127.0.0.1',
    port: 0,
    onTrace: (event) => traces.push(event),
    onSession: (session) => {
      sessions.push(session);
      session.onMessage = (bytes) => {
        session.send(bytes);
      };
      session.onClose = (reason) => closed.push(reason);
    },
    ...options,
  });
  running.push(listener);
  return { listener, port: Number(listener.addresses[0]?.split(':').at(-1)), sessions, traces, closed };
}

/** For `afterEach`: closes every echo server started since. */
export async function stopTlsEchoes(): Promise<void> {
  await Promise.all(running.splice(0).map((listener) => listener.close()));
}
