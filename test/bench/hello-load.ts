/** ClientHellos without a cookie, and how many of them a server answers for one second of its processor. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { BareClient } from '#test/support/dtls.ts';
import { cpuSeconds } from './process-usage.ts';

const SOCKETS = 16;
const IN_FLIGHT_PER_SOCKET = 4;
const ANSWERS = 30_000;
/** A socket that has heard nothing for so long starts again: a datagram was lost. */
const STALLED_MS = 50;
const GIVE_UP_MS = 60_000;
/** Where a hello's random begins: behind the headers of record and handshake, and the version. */
const RANDOM_AT = 13 + 12 + 2;

/** The first datagram of a client to `port`. */
export async function sampleHello(port: number): Promise<Uint8Array> {
  const client = await BareClient.open(port);
  client.begin();
  const [hello] = client.sent;
  await client.vanish();
  if (hello === undefined) throw new Error('the client has sent no hello');
  return hello;
}

/** Each socket keeps a few hellos in flight, all with randoms of their own. */
export async function hellosPerCpuSecond(
  server: { readonly pid: number; readonly port: number },
  hello: Uint8Array,
): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, bound));
  let answers = 0;
  const send = (socket: Socket): void => {
    const one = Buffer.from(hello);
    randomBytes(8).copy(one, RANDOM_AT);
    socket.send(one, server.port, '127.0.0.1');
  };
  const heardAt = new Map<Socket, number>();
  const fill = (socket: Socket): void => {
    heardAt.set(socket, performance.now());
    for (let count = 0; count < IN_FLIGHT_PER_SOCKET; count++) send(socket);
  };
  const before = cpuSeconds(server.pid);
  const endAt = performance.now() + GIVE_UP_MS;
  for (const socket of sockets) {
    socket.on('message', () => {
      answers++;
      heardAt.set(socket, performance.now());
      if (answers < ANSWERS) send(socket);
    });
    fill(socket);
  }
  while (answers < ANSWERS) {
    if (performance.now() > endAt) throw new Error(`${answers} of ${ANSWERS} hellos answered, then silence`);
    await pause(STALLED_MS / 2);
    for (const [socket, at] of heardAt) if (performance.now() - at > STALLED_MS) fill(socket);
  }
  const used = cpuSeconds(server.pid) - before;
  for (const socket of sockets) socket.close();
  return answers / used;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}
