/** RFC 9132 §4.5 configuration, §4.6 redirect, §4.7 heartbeat: bodies and what is refused in them. */
import { toHex } from '#core/base/bytes.ts';
import { type CborValue, DecimalFraction } from '#core/cbor/cbor-value.ts';
import { encodeCbor } from '#core/cbor/codec.ts';
import { decodeConfigAnswer, decodeConfigRequest, encodeConfig } from '#core/signal/config-codec.ts';
import { decodeHeartbeat, encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { KEY, type KeyName } from '#core/signal/keys.ts';
import { decodeRedirect, encodeRedirect } from '#core/signal/redirect-codec.ts';
import { fromHex } from '#test/support/hex.ts';

const map = (fields: Partial<Record<KeyName, CborValue>>): CborValue =>
  new Map(Object.entries(fields).map(([name, value]) => [KEY[name as KeyName], value]));

describe('PUT config', () => {
  const put = (mitigating: CborValue, rest: Partial<Record<KeyName, CborValue>> = {}): Uint8Array =>
    encodeCbor(map({ 'signal-config': map({ 'mitigating-config': mitigating, ...rest }) }));
  const why = (bytes: Uint8Array): string | undefined => {
    const decoded = decodeConfigRequest(bytes);
    return decoded.ok ? undefined : `${decoded.error.field}: ${decoded.error.why}`;
  };
  const interval = (value: CborValue): CborValue =>
    map({ 'heartbeat-interval': map({ 'current-value': value }) });
  const timeout = (value: CborValue): CborValue =>
    map({ 'ack-timeout': map({ 'current-value-decimal': value }) });

  test('one parameter of one set is enough', () => {
    expect(decodeConfigRequest(put(interval(30)))).toEqual({
      ok: true,
      value: { mitigating: { heartbeatInterval: { current: 30 } } },
    });
  });

  test.each<[string, Uint8Array]>([
    ['an empty signal-config', encodeCbor(map({ 'signal-config': map({}) }))],
    ['two empty sets', put(map({}), { 'idle-config': map({}) })],
  ])('S-271 %s is refused', (_, bytes) => {
    expect(why(bytes)).toBe('signal-config: at least one parameter is needed');
  });

  test.each(['max-value', 'min-value'] as const)('S-283 S-344 %s in a request is refused', (name) => {
    expect(why(put(map({ 'heartbeat-interval': map({ 'current-value': 30, [name]: 1 }) })))).toBe(
      `${name}: not allowed in heartbeat-interval`,
    );
  });

  test.each<CborValue>([65536, -1, '30', true])('S-352 a current-value of %p is refused', (value) => {
    expect(why(put(interval(value)))).toBe('current-value: not an unsigned integer up to 65535');
  });

  test.each<CborValue>([2, '2.00', new DecimalFraction(-3, 2000), new DecimalFraction(0, 2)])(
    'S-353 S-366 an ack-timeout of %p is refused',
    (value) => {
      expect(why(put(timeout(value)))).toContain(
        'current-value-decimal: not a decimal fraction of two digits',
      );
    },
  );

  test('S-366 a float for a decimal is refused', () => {
    expect(why(fromHex('a1181ea11820a11827a1182bfb4000000000000000'))).toContain('floating-point');
  });

  test('a value in the wrong form or a missing one is refused', () => {
    expect(why(put(map({ 'ack-timeout': map({ 'current-value': 2 }) })))).toBe(
      'current-value: not allowed in ack-timeout',
    );
    expect(why(put(map({ 'heartbeat-interval': map({}) })))).toBe(
      'current-value: missing in heartbeat-interval',
    );
    expect(why(put(map({}), { sid: 1 }))).toBe('sid: not allowed in signal-config');
  });

  test('what is well typed but senseless is for the session to judge (D21)', () => {
    expect(why(put(timeout(new DecimalFraction(-2, -5))))).toBeUndefined();
    expect(why(put(interval(0)))).toBeUndefined();
  });
});

test('S-366 decimals are tag 4 with exponent -2', () => {
  const hex = (seconds: number): string =>
    toHex(encodeConfig({ idle: { ackTimeout: { current: seconds } } }));
  expect(hex(2)).toBe('a1181ea1182ca11827a1182bc4822118c8');
  expect(hex(1.5)).toContain('c482211896');
  expect(hex(30)).toContain('c48221190bb8');
  expect(hex(1.1)).toContain('c48221186e');
});

test('a client reads an answer with only one parameter, and past what it does not know', () => {
  expect(decodeConfigAnswer(fromHex('a1181ea2 181f 05 1820a2 1821a2 1824181e 18fe01 183c01'))).toEqual({
    ok: true,
    value: { sid: 5, mitigating: { heartbeatInterval: { current: 30 } } },
  });
});

describe('redirect', () => {
  test('S-300 S-355 the name is always there, addresses have no length', () => {
    expect(toHex(encodeRedirect({ altServer: 'a.example', altServerRecords: [] }))).toBe(
      'a1182ea1182f69612e6578616d706c65',
    );
    expect(decodeRedirect(fromHex('a1182ea1183081683139322e302e322e31')).ok).toBe(false);
  });

  test.each([
    ['no name', 'a1182ea0'],
    ['an empty name', 'a1182ea1182f60'],
    ['a prefix for an address', 'a1182ea2182f69612e6578616d706c651830816c3139322e302e322e312f3332'],
  ])('%s is no redirect', (_, hex) => {
    expect(decodeRedirect(fromHex(hex)).ok).toBe(false);
  });
});

describe('heartbeat', () => {
  test('S-362 S-358 its bytes', () => {
    expect(toHex(encodeHeartbeat({ peerHbStatus: true }))).toBe('a11831a11833f5');
    expect(toHex(encodeHeartbeat({ peerHbStatus: false }))).toBe('a11831a11833f4');
  });

  test.each([
    ['without peer-hb-status', 'a11831a0', 'peer-hb-status: missing'],
    ['with a number', 'a11831a1183301', 'peer-hb-status: not true or false'],
    ['with a config', 'a1181ea0', 'signal-config: not allowed in body'],
  ])('S-319 S-355 %s it is refused', (_, hex, reason) => {
    const decoded = decodeHeartbeat(fromHex(hex));
    expect(decoded.ok ? undefined : `${decoded.error.field}: ${decoded.error.why}`).toBe(reason);
  });
});
