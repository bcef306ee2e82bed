/** A name server that tells what the test wants; answers A and AAAA over UDP on loopback. */
import { createSocket } from 'node:dgram';

export interface NameServer {
  readonly address: string;
  /** Questions so far, `A demo.example`. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface Reply {
  /** 0 no error, 2 SERVFAIL, 3 NXDOMAIN. */
  readonly rcode?: number;
  /** Four or sixteen bytes each. */
  readonly addresses?: readonly Buffer[];
  readonly ttl?: number;
}

const TYPE = { A: 1, AAAA: 28 } as const;

/** `undefined` is no answer at all. */
export async function startNameServer(
  reply: (type: 'A' | 'AAAA', name: string) => Reply | undefined,
): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end) === TYPE.A ? 'A' : 'AAAA';
    asked.push(`${type} ${name}`);
    const told = reply(type, name);
    if (told === undefined) return;
    const { rcode = 0, addresses = [], ttl = 60 } = told;
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(0x8180 | rcode, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const answers = addresses.map((address) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(TYPE[type], 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(ttl, 6);
      record.writeUInt16BE(address.length, 10);
      return Buffer.concat([record, address]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end + 4), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at++] ?? 0; length > 0; length = message[at++] ?? 0) {
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  return { name: labels.join('.'), end: at };
}
