/** A DTLS echo server, a client that shows its datagrams, and the waiting that tests of transports need. */
import { createSocket, type Socket } from 'node:dgram';
import { Connection } from '#adapters/dtls/connection.ts';
import { type ClientContextOptions, SecureContext } from '#adapters/dtls/secure-context.ts';
import { type DtlsListener, type ListenDtlsOptions, listenDtls } from '#adapters/dtls/server.ts';
import type { DtlsTrace } from '#adapters/dtls/trace.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';

export const PSK_IDENTITY = 'dots-client-1';
export const PSK_KEY = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
export const PSK = { identity: PSK_IDENTITY, key: PSK_KEY };
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

const running: DtlsListener[] = [];

/** Answers every message with itself, on a free port of 127.0.0.1 unless `options` says otherwise. */
export async function startEcho(options: Partial<ListenDtlsOptions>): Promise<EchoServer> {
  const sessions: SecureSession[] = [];
  const traces: DtlsTrace[] = [];
  const closed: string[] = [];
  const listener = await listenDtls({
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
  const port = Number(listener.addresses[0]?.split(':').at(-1));
  return { listener, port, sessions, traces, closed };
}

/** For `afterEach`: closes every echo server started since. */
export async function stopEchoes(): Promise<void> {
  await Promise.all(running.splice(0).map((listener) => listener.close()));
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
export async function until(condition: () => boolean, withinMs = 3000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not so within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** For what must not happen: long enough for a datagram on loopback, and for one turn of the server's queue. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

/** A client on a socket of its own that keeps every datagram, so that a test can repeat, forge and withhold them. */
export class BareClient {
  readonly sent: Buffer[] = [];
  readonly received: Buffer[] = [];
  readonly messages: string[] = [];
  readonly connection: Connection;
  readonly #context: SecureContext;
  readonly #socket: Socket = createSocket('udp4');
  readonly #serverPort: number;
  #started = false;

  private constructor(serverPort: number, options: Omit<ClientContextOptions, 'role'>) {
    this.#serverPort = serverPort;
    this.#context = new SecureContext({ role: 'client', ...options });
    this.connection = new Connection(this.#context, options.mtu, {
      transmit: (datagram) => {
        this.sent.push(Buffer.from(datagram));
        this.send(datagram);
      },
      deliver: (message) => this.messages.push(Buffer.from(message).toString()),
    });
    this.#socket.on('message', (datagram) => {
      this.received.push(datagram);
      if (this.#started) this.connection.receive(datagram);
    });
  }

  /** Bound to `localPort` (0: any), nothing sent yet. */
  static async open(
    serverPort: number,
    options: Partial<ClientContextOptions> = {},
    localPort = 0,
  ): Promise<BareClient> {
    const client = new BareClient(serverPort, { mtu: 1232, serverName: 'dots.test', psk: PSK, ...options });
    await new Promise<void>((resolve) => client.#socket.bind(localPort, '127.0.0.1', resolve));
    return client;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  begin(): void {
    this.#started = true;
    this.connection.start();
  }

  async handshake(): Promise<void> {
    this.begin();
    await until(() => this.connection.state !== 'handshaking');
  }

  /** Any datagram, from this client's address. */
  send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#serverPort, '127.0.0.1');
  }

  async echo(text: string): Promise<boolean> {
    this.connection.send(Buffer.from(text));
    const expected = this.messages.length + 1;
    await until(() => this.messages.length >= expected);
    return this.messages.at(-1) === text;
  }

  /** Goes away without a word. */
  async vanish(): Promise<void> {
    this.connection.dispose();
    await new Promise<void>((resolve) => {
      this.#socket.close(resolve);
    });
    this.#context.free();
  }
}
