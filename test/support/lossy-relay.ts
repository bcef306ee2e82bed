/** A UDP relay on loopback that loses, reorders and duplicates datagrams as its seed says: one upstream socket per client. */
import { createSocket, type Socket } from 'node:dgram';

export interface LossyRelay {
  readonly port: number;
  readonly counts: { passed: number; lost: number; longest: number };
  close(): void;
}

export interface Weather {
  /** Fractions of all datagrams, in both directions. */
  readonly loss: number;
  readonly reordered: number;
  /** None by default. */
  readonly duplicated?: number;
  readonly seed: number;
}

const LATE_MS = 30;

export async function startLossyRelay(serverPort: number, weather: Weather): Promise<LossyRelay> {
  const counts = { passed: 0, lost: 0, longest: 0 };
  const upstream = new Map<number, Socket>();
  const front = createSocket('udp4');
  const random = fractions(weather.seed);
  let closed = false;

  const pass = (datagram: Uint8Array, send: (datagram: Uint8Array) => void): void => {
    counts.longest = Math.max(counts.longest, datagram.length);
    if (random() < weather.loss) {
      counts.lost++;
      return;
    }
    counts.passed++;
    if (weather.duplicated !== undefined && random() < weather.duplicated) send(datagram);
    if (random() < weather.reordered)
      setTimeout(() => {
        if (!closed) send(datagram);
      }, LATE_MS * random());
    else send(datagram);
  };

  front.on('message', (datagram, client) => {
    let socket = upstream.get(client.port);
    if (socket === undefined) {
      socket = createSocket('udp4');
      upstream.set(client.port, socket);
      socket.on('message', (answer) => {
        pass(answer, (bytes) => {
          front.send(bytes, client.port, client.address);
        });
      });
    }
    const up = socket;
    pass(datagram, (bytes) => {
      up.send(bytes, serverPort, '127.0.0.1');
    });
  });
  await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
  return {
    port: front.address().port,
    counts,
    close: () => {
      closed = true;
      front.close();
      for (const socket of upstream.values()) socket.close();
    },
  };
}

/** Xorshift in [0, 1). */
function fractions(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
