/** UDP sockets: addresses are literals and are not looked up, buffers hold a burst, errors are events. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Room for a burst of about 1300 datagrams; under a lasting flood, more room is only more delay. */
const BUFFER_BYTES = 1024 * 1024;

export interface UdpHandlers {
  readonly onDatagram: (datagram: Uint8Array, from: RemoteInfo) => void;
  /** What the system reports about earlier datagrams; the socket goes on. */
  readonly onError: (error: Error) => void;
}

/** Binds `port` (0: any) of one local address, shared with other processes when `shared`. Rejects when it is taken. */
export async function bindUdp(
  address: string,
  port: number,
  shared: boolean,
  handlers: UdpHandlers,
): Promise<Socket> {
  const socket = makeSocket(address, shared);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return listen(socket, handlers);
}

/** Connects to one peer: only its datagrams arrive, and its system's refusals. */
export async function connectUdp(address: string, port: number, handlers: UdpHandlers): Promise<Socket> {
  const socket = makeSocket(address, false);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return listen(socket, handlers);
}

/**
 * The local addresses behind a wildcard, so that answers leave from the address that was asked; others stand for themselves.
 * Link-local IPv6 addresses are left out: they mean nothing without an interface.
 */
export function localAddresses(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const family = host === '::' ? 'IPv6' : 'IPv4';
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((entry) => entry.family === family && !entry.address.startsWith('fe80:'))
    .map((entry) => entry.address);
  if (found.length === 0) throw new Error(`This machine has no ${family} address to listen on`);
  return [...new Set(found)];
}

function makeSocket(address: string, shared: boolean): Socket {
  const family = isIP(address);
  if (family === 0) throw new Error(`Not an IP address: ${address}`);
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    reusePort: shared,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    // dgram would look up even a literal, asynchronously, for every datagram.
    lookup: (host, _options, done) => done(null, host, isIP(host)),
  });
}

function listen(socket: Socket, handlers: UdpHandlers): Socket {
  socket.on('message', handlers.onDatagram);
  socket.on('error', handlers.onError);
  return socket;
}
