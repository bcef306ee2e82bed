/** Receives datagrams and says how long they are: where the traffic of demonstrations ends. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface DatagramSink {
  readonly port: number;
  close(): Promise<void>;
}

/** On any free port of `address`. */
export async function openSink(address: string, onDatagram: (bytes: number) => void): Promise<DatagramSink> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message) => onDatagram(message.length));
  socket.bind(0, address);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
