/** GoBGP's API as this driver uses it: one connection, deadlines on every call. */
import { readFileSync } from 'node:fs';
import {
  type Client,
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { GobgpConfig } from './config.ts';
import type { Family } from './nlri.ts';
import type { AnnouncedPath, WirePath } from './paths.ts';
import { API } from './schema.ts';

/** TableType of the API. */
const GLOBAL = 0;
const ADJACENT_OUT = 3;

/** PeerState.SessionState of the API. */
const ESTABLISHED = 6;

const CALL_MS = 5_000;

/** A restarted gobgpd is found again within this. */
const LONGEST_RECONNECT_MS = 1_000;

const GobgpApi = makeGenericClientConstructor(API['apipb.GobgpApi'] as ServiceDefinition, 'GobgpApi');

type Unary = (
  request: object,
  options: { deadline: number },
  callback: (error: Error | null, response: object) => void,
) => void;
type Streaming = (request: object, options: { deadline: number }) => ClientReadableStream<object>;

/** Rejects with gRPC's error when gobgpd cannot be reached, answers too late or refuses. */
export class GobgpClient {
  readonly #client: Client & Record<string, Unary | Streaming>;

  constructor({ address, tls }: Pick<GobgpConfig, 'address' | 'tls'>) {
    const channel =
      tls === undefined
        ? credentials.createInsecure()
        : credentials.createSsl(
            readFileSync(tls.caFile),
            tls.keyFile === undefined ? null : readFileSync(tls.keyFile),
            tls.certFile === undefined ? null : readFileSync(tls.certFile),
          );
    this.#client = new GobgpApi(address, channel, {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT_MS,
      'grpc.max_receive_message_length': -1,
    }) as unknown as Client & Record<string, Unary | Streaming>;
  }

  /** Number of the autonomous system that gobgpd speaks for; 0 until it is configured. */
  async asn(): Promise<number> {
    const { global } = (await this.#call('GetBgp', {})) as { global: { asn: number } | null };
    return global?.asn ?? 0;
  }

  async add({ nlri, identifier, attributes }: AnnouncedPath): Promise<void> {
    const path = { nlri: nlri.message, family: nlri.family, identifier, pattrs: attributes };
    await this.#call('AddPath', { table_type: GLOBAL, path });
  }

  /** Succeeds also when there is no such path. */
  async delete({ nlri, identifier, attributes }: AnnouncedPath): Promise<void> {
    const { family, message } = nlri;
    const path = { nlri: message, family, identifier, pattrs: attributes };
    await this.#call('DeletePath', { table_type: GLOBAL, family, path });
  }

  /** Addresses of the neighbors whose session is established. */
  async establishedPeers(): Promise<readonly string[]> {
    const addresses: string[] = [];
    for await (const { peer } of this.#stream('ListPeer', {}) as AsyncIterable<ListedPeer>) {
      const address = peer?.state?.neighbor_address ?? '';
      if (peer?.state?.session_state === ESTABLISHED && address !== '') addresses.push(address);
    }
    return addresses;
  }

  /** Everything in the local table. */
  routes(family: Family): AsyncIterable<WirePath> {
    return this.#paths({ table_type: GLOBAL, family });
  }

  /** What is announced to one established neighbor: only what is best, and passes its export policy. */
  announcedTo(peer: string, family: Family): AsyncIterable<WirePath> {
    return this.#paths({ table_type: ADJACENT_OUT, name: peer, family });
  }

  close(): void {
    this.#client.close();
  }

  async *#paths(request: object): AsyncGenerator<WirePath> {
    for await (const { destination } of this.#stream('ListPath', request) as AsyncIterable<ListedDestination>)
      yield* destination?.paths ?? [];
  }

  #call(method: string, request: object): Promise<object> {
    return new Promise((resolve, reject) => {
      (this.#client[method] as Unary)(request, { deadline: Date.now() + CALL_MS }, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  #stream(method: string, request: object): AsyncIterable<object> {
    return (this.#client[method] as Streaming)(request, { deadline: Date.now() + CALL_MS });
  }
}

interface ListedPeer {
  readonly peer: {
    readonly state: { readonly neighbor_address: string; readonly session_state: number } | null;
  } | null;
}

interface ListedDestination {
  readonly destination: { readonly paths: readonly WirePath[] } | null;
}
