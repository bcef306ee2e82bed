import { createDnsResolver } from '#adapters/dns/resolver.ts';
import { tableResolver } from '#adapters/dns/table-resolver.ts';
import type { Resolver } from '#core/ports/resolver.ts';
import { type NameServer, type Reply, startNameServer } from './name-server.ts';

const V4 = Buffer.from([192, 0, 2, 7]);
const V6 = Buffer.from('20010db8000000000000000000000007', 'hex');

let reply: (type: 'A' | 'AAAA', name: string) => Reply | undefined;
let server: NameServer;
let now: number;
let resolver: Resolver;

beforeEach(async () => {
  now = 0;
  reply = (type) => ({ addresses: [type === 'A' ? V4 : V6] });
  server = await startNameServer((type, name) => reply(type, name));
  const clock = { monotonic: () => now };
  resolver = createDnsResolver({ servers: [server.address], clock, timeoutMs: 50 });
});
afterEach(() => server.close());

test('both families are asked for and told as host prefixes', async () => {
  expect(await resolver.resolve('Demo.Example.')).toEqual({
    prefixes: ['192.0.2.7/32', '2001:db8::7/128'],
    ttlSeconds: 60,
  });
  expect(server.asked.sort()).toEqual(['A demo.example', 'AAAA demo.example']);
});

test('an answer is kept for its TTL and then asked for again', async () => {
  await resolver.resolve('demo.example');
  now = 59_999;
  expect(await resolver.resolve('demo.example')).toMatchObject({ ttlSeconds: 0 });
  expect(server.asked).toHaveLength(2);
  now = 60_000;
  reply = (type) => (type === 'A' ? { addresses: [Buffer.from([192, 0, 2, 8])] } : {});
  expect(await resolver.resolve('demo.example')).toMatchObject({ prefixes: ['192.0.2.8/32'] });
});

test('those who ask at the same time share one look-up', async () => {
  await Promise.all([resolver.resolve('demo.example'), resolver.resolve('demo.example')]);
  expect(server.asked).toHaveLength(2);
});

test.each<[string, Reply | undefined]>([
  ['fails', { rcode: 2 }],
  ['is silent', undefined],
])('the last valid answer is kept when the name server %s', async (_what, failure) => {
  await resolver.resolve('demo.example');
  now = 100_000;
  reply = () => failure;
  expect(await resolver.resolve('demo.example')).toEqual({
    prefixes: ['192.0.2.7/32', '2001:db8::7/128'],
    ttlSeconds: 0,
  });
});

test('half an answer does not replace a whole one', async () => {
  await resolver.resolve('demo.example');
  now = 100_000;
  reply = (type) => (type === 'A' ? { addresses: [V4] } : { rcode: 2 });
  expect(await resolver.resolve('demo.example')).toMatchObject({
    prefixes: ['192.0.2.7/32', '2001:db8::7/128'],
  });
});

test('S-437 a name that does not exist, has no address, or was never told has none', async () => {
  reply = () => ({ rcode: 3 });
  expect(await resolver.resolve('demo.example')).toBeUndefined();
  reply = () => ({});
  expect(await resolver.resolve('demo.example')).toBeUndefined();
  reply = () => ({ rcode: 2 });
  expect(await resolver.resolve('demo.example')).toBeUndefined();
});

test('a name that has ceased to exist loses its addresses', async () => {
  await resolver.resolve('demo.example');
  now = 100_000;
  reply = () => ({ rcode: 3 });
  expect(await resolver.resolve('demo.example')).toBeUndefined();
});

test('S-437 a name server that is not on this machine is refused with the reason', () => {
  const make = (address: string): Resolver =>
    createDnsResolver({ servers: [address], clock: { monotonic: () => 0 } });
  for (const address of [
    '192.0.2.53',
    '8.8.8.8:53',
    '::ffff:192.0.2.53',
    '[2001:db8::53]:53',
    'localhost',
    '',
  ]) {
    expect(() => make(address)).toThrow(/not on this machine.*RFC 9132 §11/);
  }
  for (const address of ['127.0.0.53', '127.9.9.9:5353', '::1', '[::1]:5353']) {
    expect(() => make(address)).not.toThrow();
  }
});

test('a table answers for the names it has', async () => {
  const table = tableResolver({ 'Demo.example': ['192.0.2.7', '2001:db8::7'] });
  expect(await table.resolve('demo.example.')).toMatchObject({
    prefixes: ['192.0.2.7/32', '2001:db8::7/128'],
  });
  expect(await table.resolve('www.demo.example')).toBeUndefined();
  expect(() => tableResolver({ a: ['192.0.2.0/24'] })).toThrow('not an address');
});
