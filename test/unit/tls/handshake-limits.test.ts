import { HandshakeLimits, prefixOf } from '#adapters/tls/handshake-limits.ts';

const rates = { perSecond: 10, burst: 4, perPrefixPerSecond: 1, perPrefixBurst: 2 };

test('one prefix has its burst, then its rate; another prefix is not concerned', () => {
  const limits = new HandshakeLimits(rates, 0);
  expect(limits.admit('192.0.2.1', 0)).toBe('admitted');
  expect(limits.admit('192.0.2.200', 0)).toBe('admitted');
  expect(limits.admit('192.0.2.3', 0)).toBe('prefix-limit');
  expect(limits.admit('198.51.100.1', 0)).toBe('admitted');
  expect(limits.admit('192.0.2.3', 999)).toBe('prefix-limit');
  expect(limits.admit('192.0.2.3', 1000)).toBe('admitted');
});

test('all together have theirs, and a refusal takes nothing from the prefix', () => {
  const limits = new HandshakeLimits(rates, 0);
  for (const host of [1, 2, 3, 4]) expect(limits.admit(`192.0.${host}.1`, 0)).toBe('admitted');
  expect(limits.admit('192.0.5.1', 0)).toBe('global-limit');
  expect(limits.admit('192.0.5.1', 100)).toBe('admitted');
  expect(limits.admit('192.0.5.1', 200)).toBe('admitted');
  expect(limits.admit('192.0.5.1', 300)).toBe('prefix-limit');
});

test('loopback has no prefix limit', () => {
  const limits = new HandshakeLimits({ ...rates, burst: 100 }, 0);
  for (let count = 0; count < 50; count++) expect(limits.admit('127.0.0.1', 0)).toBe('admitted');
  for (let count = 0; count < 50; count++) expect(limits.admit('::1', 0)).toBe('admitted');
  expect(limits.prefixes).toBe(0);
});

test('prefixes are /24 and /56, also of scoped addresses', () => {
  expect(prefixOf('192.0.2.77')).toBe('192.0.2.0/24');
  expect(prefixOf('2001:db8:1:2ff:3::4')).toBe('2001:db8:1:200::/56');
  expect(prefixOf('fe80::1%eth0')).toBe('fe80::/56');
});

test('memory is bounded however many prefixes come, and those in use are kept', () => {
  const limits = new HandshakeLimits({ ...rates, perSecond: 1e9, burst: 1e9 }, 0);
  limits.admit('10.0.0.1', 0);
  limits.admit('10.0.0.1', 0);
  for (let count = 0; count < 40_000; count++) {
    limits.admit(`11.${count >> 8}.${count & 255}.1`, 0);
    if (count % 1000 === 0) expect(limits.admit('10.0.0.1', 0)).toBe('prefix-limit');
  }
  expect(limits.prefixes).toBe(16_384);
});
