/** Binds a node HTTP or HTTPS server and says where it is. */
import { once } from 'node:events';
import type { Server } from 'node:http';

export interface BoundServer {
  /** `https://127.0.0.1:8443`, without a trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects when the address cannot be had. Port 0 is any free one. */
export async function bindHttp(
  server: Server,
  host: string,
  port: number,
  scheme: 'http' | 'https',
): Promise<BoundServer> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
  return {
    url: `${scheme}://${hostAndPort(host, address.port)}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** `127.0.0.1:4646`, `[::1]:4646`. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
