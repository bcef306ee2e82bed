/** Our endpoint on plain sockets on loopback, so that it can be held against other CoAP implementations without security. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import type { EndpointHandle, EndpointHandlers } from '#adapters/endpoint-driver/endpoint-handle.ts';
import type { EndpointOptions } from '#core/coap/endpoint-io.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { endpointOptions } from './coap-peer.ts';

const HOST = '127.0.0.1';
const driver = createDriver({ clock: { monotonic: () => performance.now() } });

/** What a test does with one peer; the handle exists before the first call. */
export type Serve = (handle: () => EndpointHandle) => Partial<EndpointHandlers>;

const completed = (handlers: Partial<EndpointHandlers>): EndpointHandlers => ({
  request: () => undefined,
  response: () => undefined,
  failed: () => undefined,
  observerGone: () => undefined,
  closed: () => undefined,
  trace: () => undefined,
  ...handlers,
});

/** A session without security. */
class PlainSession implements SecureSession {
  readonly transport: 'udp' | 'tcp';
  readonly remote: SecureSession['remote'];
  readonly credential = { kind: 'raw-public-key', identityId: 'none' as IdentityId } as const;
  readonly resumed = false;
  readonly maxPayload: number;
  onMessage: SecureSession['onMessage'];
  onClose: SecureSession['onClose'];
  readonly #send: (bytes: Uint8Array) => void;
  readonly #close: () => void;

  constructor(
    transport: 'udp' | 'tcp',
    remote: SecureSession['remote'],
    send: (bytes: Uint8Array) => void,
    close: () => void,
  ) {
    this.transport = transport;
    this.remote = remote;
    this.maxPayload = transport === 'udp' ? 1152 : Infinity;
    this.#send = send;
    this.#close = close;
  }

  send(bytes: Uint8Array): boolean {
    this.#send(bytes);
    return true;
  }

  close(): void {
    this.#close();
  }
}

function attach(session: PlainSession, options: Partial<EndpointOptions>, serve: Serve): EndpointHandle {
  const { transport, maxPayload } = session;
  const random = (): number => Math.random();
  const attached: { handle?: EndpointHandle } = {};
  const current = (): EndpointHandle => {
    if (attached.handle === undefined) throw new Error('a handler was called while attaching');
    return attached.handle;
  };
  const handle = driver.attach(
    session,
    endpointOptions({ transport, maxPayload, random, ...options }),
    completed(serve(current)),
  );
  attached.handle = handle;
  return handle;
}

export interface Served {
  readonly port: number;
  close(): void;
}

/** One endpoint per peer address on a UDP socket. */
export async function serveUdp(serve: Serve, options: Partial<EndpointOptions> = {}): Promise<Served> {
  const socket = createSocket('udp4');
  const sessions = new Map<string, PlainSession>();
  const handles: EndpointHandle[] = [];
  socket.on('message', (bytes, { address, port }) => {
    const key = `${address}:${port}`;
    let session = sessions.get(key);
    if (session === undefined) {
      session = udpSession(socket, address, port);
      sessions.set(key, session);
      handles.push(attach(session, options, serve));
    }
    session.onMessage?.(Uint8Array.from(bytes));
  });
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    close: () => {
      for (const handle of handles) handle.close();
      socket.close();
    },
  };
}

const udpSession = (socket: UdpSocket, address: string, port: number): PlainSession =>
  new PlainSession(
    'udp',
    { address, port },
    (bytes) => socket.send(bytes, port, address),
    () => undefined,
  );

/** One endpoint per TCP connection. */
export async function serveTcp(serve: Serve, options: Partial<EndpointOptions> = {}): Promise<Served> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    attach(tcpSession(socket), options, serve);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function tcpSession(socket: Socket): PlainSession {
  const remote = { address: HOST, port: socket.remotePort ?? 0 };
  const session = new PlainSession(
    'tcp',
    remote,
    (bytes) => socket.write(bytes),
    () => socket.end(),
  );
  socket.on('data', (bytes) => session.onMessage?.(Uint8Array.from(bytes)));
  socket.on('close', () => session.onClose?.('the peer closed the connection'));
  socket.on('error', (error) => session.onClose?.(error.message));
  return session;
}

/** Our endpoint as client of a server on loopback. */
export async function connectPlain(
  transport: 'udp' | 'tcp',
  port: number,
  serve: Serve,
  options: Partial<EndpointOptions> = {},
): Promise<EndpointHandle> {
  if (transport === 'tcp') {
    const socket = createConnection(port, HOST);
    await once(socket, 'connect');
    return attach(tcpSession(socket), options, serve);
  }
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const session = new PlainSession(
    'udp',
    { address: HOST, port },
    (bytes) => socket.send(bytes, port, HOST),
    () => socket.close(),
  );
  socket.on('message', (bytes) => session.onMessage?.(Uint8Array.from(bytes)));
  return attach(session, options, serve);
}
