/** RFC 9132 §4.4.1.1 and §6: which bodies of PUT mitigate are refused, and with what. */
import { toHex, utf8Decode } from '#core/base/bytes.ts';
import type { CborValue } from '#core/cbor/cbor-value.ts';
import { encodeCbor } from '#core/cbor/codec.ts';
import { formatCode } from '#core/coap/code.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import { KEY, type KeyName } from '#core/signal/keys.ts';
import { decodeMitigationRequest, encodeMitigationRequest } from '#core/signal/mitigation-codec.ts';
import { invalid } from '#core/signal/protocol-error.ts';
import { fromHex } from '#test/support/hex.ts';

type Fields = Partial<Record<KeyName, CborValue>>;

const map = (fields: Fields): CborValue =>
  new Map(Object.entries(fields).map(([name, value]) => [KEY[name as KeyName], value]));
const GOOD: Fields = { 'target-prefix': ['192.0.2.0/24'], lifetime: 3600 };
const bodyOf = (...scope: CborValue[]): Uint8Array => encodeCbor(map({ 'mitigation-scope': map({ scope }) }));
const request = (changes: Fields): Uint8Array => bodyOf(map({ ...GOOD, ...changes }));
/** The scope map of GOOD with one more entry, of any key. */
const withKey = (key: CborValue, value: CborValue): Uint8Array =>
  bodyOf(new Map([...(map(GOOD) as Map<number, CborValue>), [key as number, value]]));

/** Code and diagnostic of the answer, or `accepted`. */
function answer(bytes: Uint8Array): string {
  const decoded = decodeMitigationRequest(bytes);
  if (decoded.ok) return 'accepted';
  const { code, options, payload } = errorResponse(invalid(decoded.error));
  expect(options).toEqual([]);
  return `${formatCode(code)} ${utf8Decode(payload) ?? 'not UTF-8'}`;
}

const ports = (...ranges: readonly [number, number?][]): CborValue =>
  ranges.map(([lower, upper]) =>
    map(upper === undefined ? { 'lower-port': lower } : { 'lower-port': lower, 'upper-port': upper }),
  );

test('the plain request is accepted', () => {
  expect(answer(request({}))).toBe('accepted');
});

test.each(['mid', 'cuid', 'cdid', 'sid'] as const)('S-071 S-072 S-363 %s in the body is 4.00', (name) => {
  expect(answer(request({ [name]: name === 'mid' || name === 'sid' ? 1 : 'x' }))).toBe(
    `4.00 ${name}: not allowed in scope (RFC 9132 §4.4.1.1)`,
  );
});

describe('target-prefix', () => {
  test.each(['192.0.2.0/33', '2001:db8::/129', '192.0.2.1', 'foo', '192.0.2.0/', '192.0.2/24'])(
    '%s is 4.00',
    (prefix) => {
      expect(answer(request({ 'target-prefix': [prefix] }))).toBe(
        '4.00 target-prefix: not an IP prefix, address/length (RFC 9132 §4.4.1.1)',
      );
    },
  );

  test.each([
    '255.255.255.255/32',
    '127.0.0.1/32',
    '::1/128',
    '224.0.0.1/32',
    'ff02::1/128',
    '127.0.0.0/8',
    '224.0.0.0/4',
    '::ffff:127.0.0.1/128',
    '::ffff:224.0.0.1/128',
  ])('S-074 broadcast, loopback and multicast are 4.00: %s', (prefix) => {
    expect(answer(request({ 'target-prefix': ['192.0.2.0/24', prefix] }))).toBe(
      '4.00 target-prefix: broadcast, loopback or multicast (RFC 9132 §4.4.1.1)',
    );
  });
});

describe('target-port-range', () => {
  test.each<[CborValue, string]>([
    [ports([10, 9]), '4.00 upper-port: below lower-port'],
    [[map({ 'upper-port': 9 })], '4.00 lower-port: missing'],
    [ports([65536]), '4.00 lower-port: not an unsigned integer up to 65535'],
    [ports([-1]), '4.00 lower-port: not an unsigned integer up to 65535'],
    [[80], '4.00 target-port-range: not a map'],
  ])('%j is %s', (ranges, start) => {
    expect(answer(request({ 'target-port-range': ranges }))).toContain(start);
  });

  test('S-078 two entries of the same lower-port are 4.00', () => {
    expect(answer(request({ 'target-port-range': ports([10], [10, 20]) }))).toBe(
      '4.00 lower-port: 10 stands twice (RFC 9132 §4.4.1.1)',
    );
  });

  test('the whole range and a port of zero are fine', () => {
    expect(answer(request({ 'target-port-range': ports([0, 65535]) }))).toBe('accepted');
  });
});

describe('target-protocol', () => {
  test.each([256, -1])('%d is 4.00', (protocol) => {
    expect(answer(request({ 'target-protocol': [protocol] }))).toContain(
      '4.00 target-protocol: not an unsigned',
    );
  });

  test('0 and 255 are protocols', () => {
    expect(answer(request({ 'target-protocol': [0, 255] }))).toBe('accepted');
  });
});

describe('names', () => {
  test.each(['-a.example', 'a..example', 'exa mple', 'a'.repeat(64), '192.0.2.1', '.'])(
    'target-fqdn %s is 4.00',
    (name) => {
      expect(answer(request({ 'target-fqdn': [name] }))).toBe(
        '4.00 target-fqdn: not a domain name (RFC 9132 §4.4.1.1)',
      );
    },
  );

  test.each([
    'www.example',
    'mailto:a@b.example',
    'https://',
    'https:///path',
    'https://exa mple/',
    'https://a.example:65536/',
    'https://a.example/%zz',
    'https://[::1/',
    'https://-a.example/',
    'https://127.0.0.1/',
    'https://[::1]/',
  ])('target-uri %s is 4.00', (uri) => {
    expect(answer(request({ 'target-uri': [uri] }))).toContain('4.00 target-uri: ');
  });

  test.each([
    'https://www.example.com/',
    'coaps://h',
    'http://u@h.example:8080/a?b#c',
    'https://[2001:db8::1]:443/',
  ])('target-uri %s is a URI', (uri) => {
    expect(answer(request({ 'target-uri': [uri] }))).toBe('accepted');
  });
});

test('S-096 two entries in scope, or none, are 4.00', () => {
  expect(answer(bodyOf(map(GOOD), map(GOOD)))).toContain('4.00 scope: exactly one entry');
  expect(answer(bodyOf())).toContain('4.00 scope: empty');
});

test('S-097 ports and protocols without a target are 4.00', () => {
  const body = bodyOf(map({ 'target-port-range': ports([80]), 'target-protocol': [6], lifetime: 3600 }));
  expect(answer(body)).toContain('4.00 target-prefix: one of target-prefix, target-fqdn');
});

test.each<[KeyName, CborValue]>([
  ['target-prefix', []],
  ['target-fqdn', ['']],
  ['target-uri', ['']],
  ['alias-name', ['']],
  ['target-port-range', []],
  ['target-protocol', []],
])('an empty value is 4.00: %s %j', (name, value) => {
  expect(answer(request({ [name]: value }))).toBe(`4.00 ${name}: empty (RFC 9132 §4.4.1.1)`);
});

describe('lifetime', () => {
  test('A-219 S-087 S-125 missing or zero is 4.00', () => {
    expect(answer(bodyOf(map({ 'target-prefix': ['192.0.2.0/24'] })))).toContain('4.00 lifetime: missing');
    expect(answer(request({ lifetime: 0 }))).toContain('4.00 lifetime: zero');
  });

  test('S-368 it is an unsigned integer or -1', () => {
    expect(
      toHex(
        encodeMitigationRequest({
          scope: { ...EMPTY_SCOPE, aliasNames: ['a'] },
          lifetimeSeconds: -1,
          triggerMitigation: true,
        }),
      ),
    ).toBe('a101a10281a20d8161610e20');
    const lifetimeOf = (lifetime: CborValue): number | undefined => {
      const decoded = decodeMitigationRequest(request({ lifetime }));
      return decoded.ok ? decoded.value.lifetimeSeconds : undefined;
    };
    expect(lifetimeOf(-1)).toBe(-1);
    expect(lifetimeOf(1)).toBe(1);
  });

  test.each([-2, 4294967296, '3600', true])('S-348 %p is 4.00', (lifetime) => {
    expect(answer(request({ lifetime }))).toContain('4.00 lifetime: not an unsigned integer');
  });

  test('S-348 the largest uint32 is clamped, not refused', () => {
    const decoded = decodeMitigationRequest(request({ lifetime: 4294967295 }));
    expect(decoded.ok && decoded.value.lifetimeSeconds).toBe(2 ** 31 - 1);
  });

  test('an efficacy update may leave it out (D3)', () => {
    expect(answer(bodyOf(map({ 'target-prefix': ['192.0.2.0/24'], 'attack-status': 1 })))).toBe('accepted');
  });
});

test.each<CborValue>([0, 3, 'under-attack', -1, true])('S-216 S-364 attack-status %p is 4.00', (value) => {
  expect(answer(request({ 'attack-status': value }))).toContain('4.00 attack-status: ');
});

test('S-216 attack-status is key 29 with 1 or 2', () => {
  const encode = (attackStatus: 'underAttack' | 'attackSuccessfullyMitigated'): string =>
    toHex(encodeMitigationRequest({ scope: EMPTY_SCOPE, triggerMitigation: true, attackStatus }));
  expect(encode('underAttack')).toBe('a101a10281a1181d01');
  expect(encode('attackSuccessfullyMitigated')).toBe('a101a10281a1181d02');
});

test.each<CborValue>([0, 1, 'true', null])('S-367 trigger-mitigation %p is 4.00', (value) => {
  expect(answer(request({ 'trigger-mitigation': value }))).toContain(
    '4.00 trigger-mitigation: not true or false',
  );
});

test('S-095 an absent trigger-mitigation is a true one', () => {
  expect(decodeMitigationRequest(request({}))).toEqual(
    decodeMitigationRequest(request({ 'trigger-mitigation': true })),
  );
});

test.each<[KeyName, CborValue]>([
  ['target-prefix', '192.0.2.0/24'],
  ['target-protocol', 6],
  ['target-fqdn', 'a.example'],
  ['alias-name', 'a'],
])('S-369 a bare value where an array belongs is 4.00: %s', (name, value) => {
  expect(answer(request({ [name]: value }))).toBe(`4.00 ${name}: not an array (RFC 9132 §4.4.1.1)`);
});

test('S-343 two messages in one body, or the wrong one, are 4.00', () => {
  const config = map({ 'mitigating-config': map({ 'heartbeat-interval': map({ 'current-value': 30 }) }) });
  const scope = map({ scope: [map(GOOD)] });
  expect(answer(encodeCbor(map({ 'mitigation-scope': scope, 'signal-config': config })))).toContain(
    '4.00 signal-config',
  );
  expect(answer(encodeCbor(map({ 'signal-config': config })))).toContain('4.00 signal-config');
  expect(answer(encodeCbor(map({})))).toContain('4.00 mitigation-scope: missing');
});

test.each<[KeyName, CborValue]>([
  ['mid', 1],
  ['mitigation-start', 1],
  ['status', 2],
  ['conflict-information', new Map()],
  ['bytes-dropped', 1],
  ['pps-dropped', 1],
  ['max-value', 1],
  ['alt-server', 'a.example'],
])('S-344 what only a server says is 4.00 in a request: %s', (name, value) => {
  expect(answer(request({ [name]: value }))).toContain(`4.00 ${name}: not allowed in scope`);
});

describe('keys', () => {
  test.each([60, 54, 127, 256, 16383])(
    'S-370 S-371 unknown comprehension-required key %d is 4.00 and named',
    (key) => {
      expect(answer(withKey(key, 1))).toBe(
        `4.00 scope: unknown comprehension-required CBOR keys: ${key} (RFC 9132 §6)`,
      );
      const top = encodeCbor(
        new Map<number, CborValue>([
          [1, map({ scope: [map(GOOD)] })],
          [key, 1],
        ]),
      );
      expect(answer(top)).toContain(`keys: ${key} (`);
    },
  );

  test('S-371 all of them are named', () => {
    const entry = new Map([...(map(GOOD) as Map<number, CborValue>), [60, 1], [61, 1]]);
    expect(answer(bodyOf(entry))).toContain('keys: 60, 61 (');
  });

  test.each([254, 255, 16384, 32767, 32900, 49151, 49152, 65535])(
    'A-198 comprehension-optional key %d, as hints of a telemetry extension have, is ignored',
    (key) => {
      expect(answer(withKey(key, 1))).toBe('accepted');
      expect(answer(withKey(key, new Map([['x', [null]]])))).toBe('accepted');
    },
  );

  test('floating point under an optional key is nobody’s business', () => {
    const hex = 'a101a10281a30681 6c3139322e302e322e302f3234 0e190e10 18fe fb3ff8000000000000';
    expect(answer(fromHex(hex))).toBe('accepted');
    expect(answer(fromHex(hex.replace('18fe', '181d')))).toContain('floating-point');
  });

  test.each<CborValue>([0, -1, 65536, 2n ** 40n, 'lifetime'])('S-425 key %p is 4.00', (key) => {
    expect(answer(withKey(key, 1))).toBe('4.00 scope: keys are integers from 1 to 65535 (RFC 9132 §10.6.1)');
  });
});

describe('S-373 what is no acceptable CBOR is 4.00', () => {
  test.each([
    ['truncated map', 'a101'],
    ['garbage behind', 'a10100ff'],
    ['duplicate key 14', 'a101a10281a30681 6c3139322e302e322e302f3234 0e190e10 0e190e10'],
    ['nothing', ''],
    ['an array', '80'],
    ['a tag inside', 'a101c1a0'],
    ['tag 271 inside', 'a101d9010fa0'],
    ['a lifetime as a float', 'a101a10281a206816c3139322e302e322e302f32340ef96b08'],
    ['text that is not UTF-8', 'a101a10281a2068161ff0e190e10'],
  ])('%s', (_, hex) => {
    expect(answer(fromHex(hex))).toMatch(/^4\.00 /);
  });

  test('non-shortest integers, indefinite lengths and a leading tag 271 are fine', () => {
    const plain = decodeMitigationRequest(request({}));
    for (const hex of [
      'a101a10281a206816c3139322e302e322e302f32340e190e10',
      'd9010fa101a10281a206816c3139322e302e322e302f32340e190e10',
      'bf01bf029fbf069f7f653139322e30672e322e302f3234ffff0e1b0000000000000e10ffffffff',
      'a11801a1190002 81a2 1b0000000000000006 81 6c3139322e302e322e302f3234 0e 1a00000e10',
    ]) {
      expect(decodeMitigationRequest(fromHex(hex))).toEqual(plain);
    }
  });
});

test('S-359 every key of a scope', () => {
  const hex = toHex(
    encodeMitigationRequest({
      scope: {
        targetPrefixes: ['192.0.2.0/24'],
        targetPortRanges: [{ lowerPort: 1, upperPort: 2 }],
        targetProtocols: [6],
        targetFqdns: ['a.b'],
        targetUris: ['x://a.b'],
        aliasNames: ['a'],
      },
      lifetimeSeconds: 1,
      triggerMitigation: false,
      attackStatus: 'underAttack',
    }),
  );
  expect(hex).toBe(
    'a101a10281a9' +
      '06816c3139322e302e322e302f3234' +
      '0781a208010902' +
      '0a8106' +
      '0b8163612e62' +
      '0c8167783a2f2f612e62' +
      '0d816161' +
      '0e01' +
      '182df4' +
      '181d01',
  );
});

test('S-357 text keys are 4.00', () => {
  const text = encodeCbor(new Map([['mitigation-scope', new Map([['scope', []]])]]));
  expect(answer(text)).toContain('4.00 body: keys are integers');
});
