/** Two ends of one association in memory: what one transmits waits in a list until the test lets it through. */
import { parseClientHello } from '#adapters/dtls/client-hello.ts';
import { Connection } from '#adapters/dtls/connection.ts';
import { CookieSecrets } from '#adapters/dtls/cookie.ts';
import { openssl } from '#adapters/dtls/openssl.ts';
import {
  type ClientContextOptions,
  SecureContext,
  type ServerContextOptions,
} from '#adapters/dtls/secure-context.ts';

export interface DtlsPair {
  readonly client: Connection;
  readonly server: Connection;
  readonly toClient: Buffer[];
  readonly toServer: Buffer[];
  /** Messages delivered, each with the end it was delivered to in front: `server: hello`. */
  readonly delivered: string[];
  /** Lets everything through, in both directions, until nothing is left. */
  exchange(): void;
  /** Whether both ends still understand each other. */
  works(): boolean;
  dispose(): void;
}

const MTU = 1232;

export interface PairOptions {
  readonly server: Omit<ServerContextOptions, 'role' | 'mtu'>;
  readonly client: Omit<ClientContextOptions, 'role' | 'mtu'>;
  /** The only suite the client offers. */
  readonly suite?: string;
  readonly mtu?: number;
}

/** An established pair, unless the options do not fit each other. */
export function makePair(options: PairOptions): DtlsPair {
  const mtu = options.mtu ?? MTU;
  const serverContext = new SecureContext({ role: 'server', mtu, ...options.server });
  const clientContext = new SecureContext({ role: 'client', mtu, ...options.client });
  if (options.suite !== undefined) openssl().SSL_CTX_set_cipher_list(clientContext.pointer, options.suite);
  const toClient: Buffer[] = [];
  const toServer: Buffer[] = [];
  const delivered: string[] = [];
  const end = (name: string, context: SecureContext, out: Buffer[]): Connection =>
    new Connection(context, mtu, {
      transmit: (datagram) => out.push(Buffer.from(datagram)),
      deliver: (message) => delivered.push(`${name}: ${Buffer.from(message).toString()}`),
    });
  const client = end('client', clientContext, toServer);
  const server = end('server', serverContext, toClient);
  const exchange = (): void => {
    while (toClient.length > 0 || toServer.length > 0) {
      for (const datagram of toClient.splice(0)) client.receive(datagram);
      for (const datagram of toServer.splice(0)) server.receive(datagram);
    }
  };

  client.start();
  const cookies = new CookieSecrets(new Uint8Array(32));
  const hello = parseClientHello(toServer.shift() ?? Buffer.alloc(0));
  if (hello?.part !== 'first') throw new Error('The client sent no hello');
  client.receive(cookies.request(hello, ''));
  server.accept(toServer.shift() ?? Buffer.alloc(0));
  exchange();

  return {
    client,
    server,
    toClient,
    toServer,
    delivered,
    exchange,
    works: () => {
      delivered.length = 0;
      client.send(Buffer.from('ping'));
      server.send(Buffer.from('pong'));
      exchange();
      return delivered.includes('server: ping') && delivered.includes('client: pong');
    },
    dispose: () => {
      client.dispose();
      server.dispose();
      clientContext.free();
      serverContext.free();
    },
  };
}
