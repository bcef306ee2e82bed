/**
 * The part of GoBGP's gRPC API (v3, package `apipb`) that this driver speaks: the messages and fields it uses, by their
 * numbers on the wire. Data instead of a .proto file, so that a bundle carries it.
 */
import { fromJSON, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';

type Field = readonly [number: number, type: string];

interface MessageSchema {
  readonly fields: Record<string, { id: number; type: string; rule?: 'repeated' }>;
}

/** `{ asn: [1, 'uint32'], items: [2, 'Item[]'] }`: name, number, type. */
function message(fields: Readonly<Record<string, Field>>): MessageSchema {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type]]) => [
        name,
        type.endsWith('[]') ? { id, type: type.slice(0, -2), rule: 'repeated' as const } : { id, type },
      ]),
    ),
  };
}

const ANY = 'google.protobuf.Any';

const MESSAGES = {
  Family: message({ afi: [1, 'uint32'], safi: [2, 'uint32'] }),
  Path: message({
    nlri: [1, ANY],
    pattrs: [2, `${ANY}[]`],
    best: [4, 'bool'],
    family: [9, 'Family'],
    neighbor_ip: [15, 'string'],
    identifier: [18, 'uint32'],
  }),
  Destination: message({ prefix: [1, 'string'], paths: [2, 'Path[]'] }),
  TableLookupPrefix: message({ prefix: [1, 'string'], type: [2, 'uint32'] }),

  IPAddressPrefix: message({ prefix_len: [1, 'uint32'], prefix: [2, 'string'] }),
  FlowSpecNLRI: message({ rules: [1, `${ANY}[]`] }),
  FlowSpecIPPrefix: message({ type: [1, 'uint32'], prefix_len: [2, 'uint32'], prefix: [3, 'string'] }),
  FlowSpecComponentItem: message({ op: [1, 'uint32'], value: [2, 'uint64'] }),
  FlowSpecComponent: message({ type: [1, 'uint32'], items: [2, 'FlowSpecComponentItem[]'] }),

  OriginAttribute: message({ origin: [1, 'uint32'] }),
  NextHopAttribute: message({ next_hop: [1, 'string'] }),
  MpReachNLRIAttribute: message({
    family: [1, 'Family'],
    next_hops: [2, 'string[]'],
    nlris: [3, `${ANY}[]`],
  }),
  CommunitiesAttribute: message({ communities: [1, 'uint32[]'] }),
  ExtendedCommunitiesAttribute: message({ communities: [1, `${ANY}[]`] }),
  TrafficRateExtended: message({ asn: [1, 'uint32'], rate: [2, 'float'] }),
  RedirectTwoOctetAsSpecificExtended: message({ asn: [1, 'uint32'], local_admin: [2, 'uint32'] }),
  RedirectFourOctetAsSpecificExtended: message({ asn: [1, 'uint32'], local_admin: [2, 'uint32'] }),
  LargeCommunity: message({
    global_admin: [1, 'uint32'],
    local_data1: [2, 'uint32'],
    local_data2: [3, 'uint32'],
  }),
  LargeCommunitiesAttribute: message({ communities: [1, 'LargeCommunity[]'] }),

  Global: message({ asn: [1, 'uint32'], router_id: [2, 'string'] }),
  Peer: message({ conf: [2, 'PeerConf'], state: [5, 'PeerState'] }),
  PeerConf: message({ neighbor_address: [4, 'string'] }),
  PeerState: message({ neighbor_address: [5, 'string'], session_state: [13, 'uint32'] }),

  GetBgpRequest: message({}),
  GetBgpResponse: message({ global: [1, 'Global'] }),
  AddPathRequest: message({ table_type: [1, 'uint32'], path: [3, 'Path'] }),
  AddPathResponse: message({ uuid: [1, 'bytes'] }),
  DeletePathRequest: message({ table_type: [1, 'uint32'], family: [3, 'Family'], path: [4, 'Path'] }),
  Empty: message({}),
  ListPathRequest: message({
    table_type: [1, 'uint32'],
    name: [2, 'string'],
    family: [3, 'Family'],
    prefixes: [4, 'TableLookupPrefix[]'],
  }),
  ListPathResponse: message({ destination: [1, 'Destination'] }),
  ListPeerRequest: message({ address: [1, 'string'] }),
  ListPeerResponse: message({ peer: [1, 'Peer'] }),
} as const;

export type MessageName = keyof typeof MESSAGES;

/** The schema format wants a comment on each method. */
const method = (requestType: MessageName, responseType: MessageName, responseStream = false) => ({
  requestType,
  responseType,
  responseStream,
  comment: '',
});

const SERVICE = {
  methods: {
    GetBgp: method('GetBgpRequest', 'GetBgpResponse'),
    AddPath: method('AddPathRequest', 'AddPathResponse'),
    DeletePath: method('DeletePathRequest', 'Empty'),
    ListPath: method('ListPathRequest', 'ListPathResponse', true),
    ListPeer: method('ListPeerRequest', 'ListPeerResponse', true),
  },
};

/** Unset fields read as their defaults (proto3), 64-bit numbers as text. */
export const API: PackageDefinition = fromJSON(
  {
    nested: {
      google: {
        nested: {
          protobuf: { nested: { Any: message({ type_url: [1, 'string'], value: [2, 'bytes'] }) } },
        },
      },
      apipb: { nested: { ...MESSAGES, GobgpApi: SERVICE } },
    },
  },
  { keepCase: true, defaults: true, arrays: true, longs: String },
);

/** google.protobuf.Any as it stands on the wire. */
export interface Any {
  readonly type_url: string;
  /** Absent or empty when every field of the message has its default, e.g. an origin of IGP. */
  readonly value?: Uint8Array | string | null;
}

export function packAny(name: MessageName, fields: object): Any {
  return { type_url: `type.googleapis.com/apipb.${name}`, value: typeOf(name).serialize(fields) };
}

/** The message inside, or undefined when it is of another type. */
export function unpackAny(name: MessageName, any: Any): object | undefined {
  if (!any.type_url.endsWith(`/apipb.${name}`)) return undefined;
  const { value } = any;
  return typeOf(name).deserialize(value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0));
}

function typeOf(name: MessageName): MessageTypeDefinition<object, object> {
  return API[`apipb.${name}`] as MessageTypeDefinition<object, object>;
}
