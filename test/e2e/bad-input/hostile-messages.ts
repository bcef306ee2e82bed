/** Everything a peer with a session may say wrong, and what RFC 9132 and RFC 7252 answer. */
import { encodeCbor } from '#core/cbor/codec.ts';
import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import {
  bareScope,
  body,
  bytes,
  CUID,
  type HostileMessage,
  map,
  ownPath,
  request,
  scope,
  textOption,
  uintOption,
} from './hostile-message.ts';

const good = scope();

const NOT_WELL_FORMED: readonly HostileMessage[] = [
  request('body: none at all', '4.00', {}),
  body('a lone break', bytes('ff')),
  body('reserved additional information', bytes('1c')),
  body('cut in the middle', good.subarray(0, good.length - 1)),
  body('bytes after the end', Uint8Array.from([...good, 0])),
  body('an indefinite map without end', bytes('bf 01')),
  body('a duplicate top-level key', bytes('a2 01 a0 01 a0')),
  body('a duplicate key in the scope', bytes('a1 01 a1 02 81 a2 0e 01 0e 02')),
  body('a thousand nested arrays', Uint8Array.from([...new Array<number>(1000).fill(0x81), 0])),
  body('a thousand nested tags', Uint8Array.from([...new Array<number>(1000).fill(0xc4), 0])),
  body('an array that claims 2^32 entries', bytes('a1 01 a1 02 9a ffffffff')),
  body('a text that claims 2^63 bytes', bytes('a1 01 a1 02 81 a1 06 81 7b 7fffffffffffffff')),
  body('invalid UTF-8 in a prefix', bytes('a1 01 a1 02 81 a2 06 81 62 c328 0e 18 3c')),
  body('an overlong UTF-8 form', bytes('a1 01 a1 02 81 a2 06 81 62 c080 0e 18 3c')),
  body(
    'a float where an integer belongs',
    bytes('a1 01 a1 02 81 a2 06 81 6d 3139322e302e322e36362f3332 0e f9 3c00'),
  ),
  body('a date tag', bytes('a1 01 a1 02 81 a2 06 81 6d 3139322e302e322e36362f3332 0e c1 18 3c')),
  body('a bignum', bytes('a1 01 a1 02 81 a2 06 81 6d 3139322e302e322e36362f3332 0e c2 41 ff')),
];

const WRONG_SHAPE: readonly HostileMessage[] = [
  body('an array on top', encodeCbor([1, 2])),
  body('text on top', encodeCbor('mitigate')),
  body('an empty map', encodeCbor(map())),
  body('a configuration in place of a scope', encodeCbor(map([30, map()]))),
  body(
    'an unknown comprehension-required key',
    encodeCbor(map([1, map([2, [map([6, ['192.0.2.66/32']], [14, 60], [120, 1])]])])),
    '120',
  ),
  body('a scope that is no list', encodeCbor(map([1, map([2, map([14, 60])])])), 'scope'),
  body('no scope', encodeCbor(map([1, map([2, []])])), 'scope'),
  body(
    'two scopes',
    encodeCbor(
      map([1, map([2, [map([6, ['192.0.2.66/32']], [14, 60]), map([6, ['192.0.2.67/32']], [14, 60])]])]),
    ),
    'scope',
  ),
  body('cuid in the body', scope([4, CUID]), 'cuid'),
  body('mid in the body', scope([5, 66]), 'mid'),
  body('cdid in the body', scope([3, 'domain']), 'cdid'),
];

const WRONG_TARGETS: readonly HostileMessage[] = [
  body('no target', bareScope([14, 3600]), 'target'),
  body('an empty list of prefixes', scope([6, []]), 'target-prefix'),
  body('an empty prefix', scope([6, ['']]), 'target-prefix'),
  body('a prefix that is a number', scope([6, [3221225985]]), 'target-prefix'),
  body('a prefix that is no list', scope([6, '192.0.2.66/32']), 'target-prefix'),
  body('a prefix length of 33', scope([6, ['192.0.2.0/33']]), 'target-prefix'),
  body('an IPv6 prefix length of 129', scope([6, ['2001:db8::/129']]), 'target-prefix'),
  body('a prefix with a zone', scope([6, ['fe80::1%eth0/128']]), 'target-prefix'),
  body('loopback', scope([6, ['127.0.0.1/32']]), 'target-prefix'),
  body('multicast', scope([6, ['224.0.0.1/32']]), 'target-prefix'),
  body('broadcast', scope([6, ['255.255.255.255/32']]), 'target-prefix'),
  body('IPv4-mapped loopback', scope([6, ['::ffff:127.0.0.1/128']]), 'target-prefix'),
  body("another customer's address", scope([6, ['203.0.113.1/32']]), '203.0.113.1'),
  body("nobody's address", scope([6, ['8.8.8.8/32']]), '8.8.8.8'),
  body('a prefix around the own one', scope([6, ['192.0.0.0/16']]), '192.0.0.0/16'),
  body('the whole Internet', scope([6, ['0.0.0.0/0']])),
  body('the whole IPv6 Internet', scope([6, ['::/0']])),
  body('one foreign among own addresses', scope([6, ['192.0.2.1/32', '203.0.113.1/32']]), '203.0.113.1'),
  body('an empty name', scope([11, ['']]), 'target-fqdn'),
  body('a name with a space', scope([11, ['a b']]), 'target-fqdn'),
  body("somebody else's name", scope([11, ['www.example.org']])),
  body('a URI that is none', scope([12, ['no uri']]), 'target-uri'),
  body('an unknown alias', scope([13, ['no-such-alias']]), 'no-such-alias'),
  body('an empty alias', scope([13, ['']]), 'alias-name'),
];

const WRONG_NUMBERS: readonly HostileMessage[] = [
  body('ports the wrong way round', scope([7, [map([8, 443], [9, 80])]]), 'port'),
  body('port 65536', scope([7, [map([8, 65_536])]]), 'port'),
  body('a negative port', scope([7, [map([8, -1])]]), 'port'),
  body('an upper port alone', scope([7, [map([9, 80])]]), 'port'),
  body('the same lower port twice', scope([7, [map([8, 80]), map([8, 80], [9, 81])]]), 'port'),
  body('protocol 256', scope([10, [256]]), 'target-protocol'),
  body('a protocol by name', scope([10, ['udp']]), 'target-protocol'),
  body('no lifetime', bareScope([6, ['192.0.2.66/32']]), 'lifetime'),
  body('lifetime 0', scope([14, 0]), 'lifetime'),
  body('lifetime -2', scope([14, -2]), 'lifetime'),
  body('a lifetime as text', scope([14, '3600']), 'lifetime'),
  body(
    'lifetime 2^64-1',
    bytes('a1 01 a1 02 81 a2 06 81 6d 3139322e302e322e36362f3332 0e 1b ffffffffffffffff'),
    'lifetime',
  ),
  body('attack-status 9', scope([29, 9]), 'attack-status'),
  body('trigger-mitigation as a number', scope([45, 1]), 'trigger-mitigation'),
];

const WRONG_PATHS: readonly HostileMessage[] = [
  request('path: no cuid', '4.00', { path: ownPath('mid=66'), payload: good }, 'cuid'),
  request('path: no mid', '4.00', { path: ownPath(`cuid=${CUID}`), payload: good }, 'mid'),
  request('path: an empty cuid', '4.00', { path: ownPath('cuid=', 'mid=66'), payload: good }, 'cuid'),
  request('path: an empty mid', '4.00', { path: ownPath(`cuid=${CUID}`, 'mid='), payload: good }, 'mid'),
  request('path: a mid in words', '4.00', { path: ownPath(`cuid=${CUID}`, 'mid=one'), payload: good }, 'mid'),
  request('path: a negative mid', '4.00', { path: ownPath(`cuid=${CUID}`, 'mid=-1'), payload: good }, 'mid'),
  request(
    'path: mid 2^32',
    '4.00',
    { path: ownPath(`cuid=${CUID}`, 'mid=4294967296'), payload: good },
    'mid',
  ),
  request('path: mid before cuid', '4.00', { path: ownPath('mid=66', `cuid=${CUID}`), payload: good }),
  request(
    'path: cuid twice',
    '4.00',
    { path: ownPath(`cuid=${CUID}`, `cuid=${CUID}`, 'mid=66'), payload: good },
    'cuid',
  ),
  request('path: a foreign parameter', '4.00', {
    path: ownPath(`cuid=${CUID}`, 'mid=66', 'x=1'),
    payload: good,
  }),
  request(
    'path: a line feed in cuid',
    '4.00',
    { path: ownPath('cuid=a\nb', 'mid=66'), payload: good },
    'cuid',
  ),
  request(
    'path: a cuid of 240 bytes',
    '4.00',
    { path: ownPath(`cuid=${'c'.repeat(240)}`, 'mid=66'), payload: good },
    'cuid',
  ),
  request('path: invalid UTF-8', '4.02', {
    path: ['.well-known', 'dots', 'mitigate', bytes('63756964 3d ff'), 'mid=66'],
    payload: good,
  }),
  request('path: nothing', '4.04', { path: [], payload: good }),
  request('path: something else', '4.04', { path: ['etc', 'passwd'], method: METHOD.get }),
  request('path: dots and slashes', '4.04', {
    path: ['.well-known', 'dots', '..', '..', 'config'],
    method: METHOD.get,
  }),
  request('path: a telemetry that is not served', '4.04', {
    path: ['.well-known', 'dots', 'tm'],
    method: METHOD.get,
  }),
  request("GET of another client's mitigations", '4.04', {
    method: METHOD.get,
    path: ownPath('cuid=somebody-else-00000000'),
  }),
];

const WRONG_OPTIONS: readonly HostileMessage[] = [
  request('an unknown critical option', '4.02', {
    payload: good,
    options: [uintOption(9999, 1)],
    confirmable: true,
  }),
  request('Proxy-Uri', '5.05', {
    payload: good,
    options: [textOption(OPTION.proxyUri, 'coap://192.0.2.1/')],
    confirmable: true,
  }),
  request('Content-Format JSON', '4.15', { payload: good, contentFormat: 50 }, '271'),
  request('Accept JSON', '4.06', { payload: good, options: [uintOption(OPTION.accept, 50)] }, '271'),
  request('Hop-Limit 0', '4.00', { payload: good, options: [uintOption(OPTION.hopLimit, 0)] }),
  request('Hop-Limit 256', '4.00', { payload: good, options: [uintOption(OPTION.hopLimit, 256)] }),
  request('POST', '4.05', { payload: good, method: METHOD.post }),
  request('FETCH', '4.05', { payload: good, method: METHOD.fetch }),
  request('the second block without the first', '4.08', {
    payload: good.subarray(0, 16),
    options: [uintOption(OPTION.block1, (1 << 4) | 8)],
  }),
  request('an efficacy update for a mid that is not there', 'silence', {
    payload: scope([29, 1]),
    options: [{ number: OPTION.ifMatch, value: new Uint8Array(0) }],
  }),
  request('attack-status for a mid that is not there', '4.00', { payload: scope([29, 1]) }, 'mid'),
  request(
    'a heartbeat without a status',
    '4.00',
    { path: ['.well-known', 'dots', 'hb'], payload: encodeCbor(map([49, map()])) },
    'peer-hb-status',
  ),
  request('GET of heartbeats', '4.05', { path: ['.well-known', 'dots', 'hb'], method: METHOD.get }),
  request('a configuration out of bounds', '4.22', {
    path: ['.well-known', 'dots', 'config', 'sid=1'],
    payload: encodeCbor(map([30, map([32, map([33, map([36, 3600])])])])),
  }),
  request('a configuration of the wrong type', '4.00', {
    path: ['.well-known', 'dots', 'config', 'sid=1'],
    payload: encodeCbor(map([30, map([32, map([33, map([36, 'often'])])])])),
  }),
];

/** Not CoAP at all, or hardly. The message id stands in bytes 2 and 3. */
const malformed = (title: string, expected: HostileMessage['expected'], hex: string): HostileMessage => ({
  title: `message: ${title}`,
  expected,
  datagram: (messageId) => {
    const datagram = bytes(hex);
    if (datagram.length >= 4) new DataView(datagram.buffer).setUint16(2, messageId);
    return datagram;
  },
});

const MALFORMED: readonly HostileMessage[] = [
  malformed('one byte', 'silence', '40'),
  malformed('three bytes', 'silence', '40 01 00'),
  malformed('version 0', 'silence', '00 01 0000'),
  malformed('version 3', 'silence', 'c0 01 0000'),
  malformed('a token of nine bytes', 'reset', '49 01 0000 010203040506070809'),
  malformed('a token of nine bytes, Non-confirmable', 'silence', '59 01 0000 010203040506070809'),
  malformed('a token longer than the message', 'reset', '48 01 0000 01'),
  malformed('a reserved class', 'reset', '40 20 0000'),
  malformed('an empty message with a payload', 'reset', '40 00 0000 ff 01'),
  malformed('a payload marker and no payload', 'reset', '40 01 0000 ff'),
  malformed('an option delta of 15', 'reset', '40 01 0000 f0'),
  malformed('an option longer than the message', 'reset', '40 01 0000 b5 61'),
  malformed('an acknowledgement of nothing', 'silence', '60 00 0000'),
  malformed('a reset of nothing', 'silence', '70 00 0000'),
  malformed('a response to nothing, Confirmable', 'reset', '44 45 0000 01020304'),
];

export const HOSTILE_MESSAGES: readonly HostileMessage[] = [
  ...NOT_WELL_FORMED,
  ...WRONG_SHAPE,
  ...WRONG_TARGETS,
  ...WRONG_NUMBERS,
  ...WRONG_PATHS,
  ...WRONG_OPTIONS,
  ...MALFORMED,
];
