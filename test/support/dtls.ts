/** A DTLS echo server and the waiting that tests of transports need. */
import { type DtlsListener, type ListenDtlsOptions, listenDtls } from '#adapters/dtls/server.ts';
import type { DtlsTrace } from '#adapters/dtls/trace.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';

export const PSK_IDENTITY = 'dots-client-1';
export const PSK_KEY = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
export const pskKey = (identity: string): Uint8Array | undefined =>
  identity === PSK_IDENTITY ? PSK_KEY : undefined;

export interface EchoServer {
  readonly listener: DtlsListener;
  readonly port: number;
  readonly sessions: SecureSession[];
  readonly traces: DtlsTrace[];
  /** Reasons sessions ended for, in order. */
  readonly closed: string[];
}

/** Answers every message with itself, on a free port of 127.0.0.1 unless `options` says otherwise. */
export async function startEcho(
  options: Omit<ListenDtlsOptions, 'host' | 'port' | 'onSession'> & Partial<ListenDtlsOptions>,
): Promise<EchoServer> {
  const sessions: SecureSession[] = [];
  const traces: DtlsTrace[] = [];
  const closed: string[] = [];
  const listener = await listenDtls({
    host: '127.0.0.1',
    port: 0,
    onTrace: (event) => traces.push(event),
    onSession: (session) => {
      sessions.push(session);
      session.onMessage = (bytes) => session.send(bytes);
      session.onClose = (reason) => closed.push(reason);
    },
    ...options,
  });
  const port = Number(listener.addresses[0]?.split(':').at(-1));
  return { listener, port, sessions, traces, closed };
}

/** Sends `text` and resolves with what comes back next. */
export async function echo(session: SecureSession, text: string, withinMs = 2000): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`No echo of ${text} within ${withinMs} ms`));
    }, withinMs);
    session.onMessage = (bytes) => {
      clearTimeout(timer);
      resolve(Buffer.from(bytes).toString());
    };
    if (!session.send(Buffer.from(text))) reject(new Error(`Not sent: ${text}`));
  });
}

/** Resolves once `condition` holds; rejects when it does not within `withinMs`. */
export async function until(condition: () => boolean, withinMs = 2000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not so within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
