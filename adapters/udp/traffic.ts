/** Sends datagrams at a steady rate: the traffic of demonstrations and benchmarks, never of the product. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TrafficOptions {
  readonly address: string;
  readonly port: number;
  /** Source address and port: what filters look at. */
  readonly from: { readonly address: string; readonly port: number };
  readonly packetsPerSecond: number;
  /** Payload of each datagram, in bytes. */
  readonly bytes: number;
  readonly signal: AbortSignal;
}

/** Datagrams are sent in bursts, one per tick. */
const TICK_MS = 10;

/** Resolves with the number of datagrams handed to the kernel, once `signal` aborts. */
export async function sendTraffic(options: TrafficOptions): Promise<number> {
  const { address, port, from, packetsPerSecond, bytes, signal } = options;
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(from.port, from.address);
  await once(socket, 'listening');
  // Nobody listens at the target: the kernel tells of refused datagrams here, and a flood does not mind.
  socket.on('error', () => undefined);
  const payload = new Uint8Array(bytes).fill(0x5a);
  const started = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * packetsPerSecond);
    for (; sent < due; sent++) socket.send(payload, port, address);
    await sleep(TICK_MS);
  }
  socket.close();
  return sent;
}
