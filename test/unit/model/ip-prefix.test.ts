import type { IpPrefix } from '#core/model/ip-prefix.ts';
import {
  containsPrefix,
  formatIpPrefix,
  isForbiddenTarget,
  overlapsPrefix,
  parseIpPrefix,
} from '#core/model/ip-prefix.ts';

const prefix = (text: string): IpPrefix => {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`not a prefix: ${text}`);
  return parsed;
};

test.each([
  ['192.0.2.77/24', '192.0.2.0/24'],
  ['192.0.2.1', '192.0.2.1/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8:0:0::1/64', '2001:db8::/64'],
  ['::', '::/128'],
  ['::1', '::1/128'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1/128'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1/128'],
  ['::ffff:192.0.2.1', '::ffff:c000:201/128'],
])('S-069 %s is %s', (text, canonical) => {
  expect(formatIpPrefix(prefix(text))).toBe(canonical);
});

test.each([
  '',
  '/',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '01.2.3.4',
  '1.2.3.4/33',
  '1.2.3.4/',
  '1.2.3.4/-1',
  '1.2.3.4/08',
  '1.2.3.4/24/24',
  ':',
  ':::',
  '1::2::3',
  '2001:db8::/129',
  '2001:db8',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  'g::',
  '12345::',
  '::1%eth0',
  '1.2.3.4::',
  ' 1.2.3.4',
])('%j is no prefix', (text) => {
  expect(parseIpPrefix(text)).toBeUndefined();
});

test('containment and overlap never cross the families', () => {
  expect(containsPrefix(prefix('0.0.0.0/0'), prefix('192.0.2.0/24'))).toBe(true);
  expect(containsPrefix(prefix('192.0.2.0/24'), prefix('0.0.0.0/0'))).toBe(false);
  expect(containsPrefix(prefix('::/0'), prefix('192.0.2.0/24'))).toBe(false);
  expect(overlapsPrefix(prefix('192.0.2.0/25'), prefix('192.0.2.128/25'))).toBe(false);
  expect(overlapsPrefix(prefix('192.0.2.0/25'), prefix('192.0.2.1'))).toBe(true);
});

test.each([
  '127.0.0.1/32',
  '224.0.0.0/4',
  '239.1.2.3',
  '255.255.255.255',
  '::1',
  'ff02::1',
  '::ffff:127.0.0.1',
])('S-074 %s cannot be a target', (text) => {
  expect(isForbiddenTarget(prefix(text))).toBe(true);
});

test.each(['192.0.2.0/24', '126.255.255.255', '::2', '2001:db8::/32'])('%s can be a target', (text) => {
  expect(isForbiddenTarget(prefix(text))).toBe(false);
});
