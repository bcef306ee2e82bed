/** What has gone wrong in DOTS servers before: each trap once, at the provider as it runs, by stock clients. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '#core/model/status.ts';
import { type GobgpPair, makeGobgpPair } from '#test/support/gobgp-pair.ts';
import { fromHex } from '#test/support/hex.ts';
import { eventually } from '#test/support/mitigator-world.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';
import { scopeBody } from '#test/support/signal-asks.ts';
import { type Answered, type Asking, ask as askAt, entriesIn, watch } from '#test/support/stock-client.ts';
import { openReceiver, type Receiver } from '#test/support/webhook-receiver.ts';

const AT_ONCE_MS = 1000;
const HEARTBEAT = fromHex('a11831a11833f5');

let home: string;
let provider: ProviderProcess;
let pair: GobgpPair;
/** Takes every request and answers none. */
let hanging: Receiver;
let polite: Receiver;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  hanging = await openReceiver();
  hanging.answer = () => undefined;
  closers.push(() => hanging.close());
  polite = await openReceiver();
  closers.push(() => polite.close());
  pair = await makeGobgpPair();
  closers.push(() => pair.close());
  await Promise.all([pair.startLocal(), pair.startNeighbor()]);
  home = makeTemporaryHome(`
terminatingSeconds: 5
mitigators:
  hanging: { driver: webhook, url: '${hanging.url}', secretFile: secret, allowPrivate: true }
  polite: { driver: webhook, url: '${polite.url}', secretFile: secret, allowPrivate: true }
  edge: { driver: gobgp, address: '${pair.address}', nextHop: 192.0.2.254 }
domains:
  demo:
    prefixes: [192.0.2.0/24]
    mitigators: [{ name: hanging, profile: divert }, { name: polite, profile: divert }]
  routed: { prefixes: [198.51.100.0/24], mitigators: [{ name: edge, profile: blackhole }] }
`);
  closers.push(() => removeHome(home));
  writeFileSync(join(home, 'secret'), 'sixteen letters and more', { mode: 0o600 });
  provider = await startProviderProcess(home);
  closers.push(async () => {
    const { code, stderr } = await provider.stop();
    // Whatever was asked of it, it is still there to be stopped.
    expect([code, stderr.replaceAll(/^\{.*\}\n/gm, '')]).toEqual([0, '']);
  });
  for (const [domain, name] of [
    ['demo', 'second'],
    ['routed', 'routed'],
  ] as const) {
    const added = await tocsin(home, 'client', 'add', domain, name);
    if (added.code !== 0) throw new Error(added.stderr);
  }
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

const ask = (path: string, asking: Asking = {}): Promise<Answered> => askAt(provider, path, asking);
/** A client's cuid is its name here. */
const path = (mid: number, as = 'demo'): string => `mitigate/cuid=${as}/mid=${mid}`;
const put = (mid: number, address: string, as = 'demo', changes = {}): Promise<Answered> =>
  ask(path(mid, as), { as, method: 'put', body: scopeBody(`${address}/32`, changes) });
const statusOf = async (mid: number, as = 'demo'): Promise<Status | number | undefined> =>
  entriesIn((await ask(path(mid, as), { as })).payload)[0]?.status;
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
const isAlive = async (): Promise<boolean> => (await fetch(`${provider.ready.admin}/healthz`)).ok;

async function atOnce<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
  return result;
}

test.each(['OpenSSL', 'GnuTLS'] as const)(
  'a Confirmable request is acknowledged under its own message id: libcoap on %s',
  async (client) => {
    const number = client === 'OpenSSL' ? 1 : 2;
    const body = scopeBody(`192.0.2.${number}/32`);
    for (const asking of [{ method: 'put', body }, { method: 'get' }, { method: 'delete' }] as const) {
      const { printed, codes } = await ask(path(number), { client, ...asking });
      const [, messageId = ''] = / t:CON c:\w+ i:([0-9a-f]{4}) /.exec(printed) ?? [];
      expect(printed).toMatch(new RegExp(`received \\d+ bytes\\nv:1 t:ACK c:\\d\\.\\d\\d i:${messageId} `));
      expect(codes.at(-1)).toMatch(/^2\.0[125]$/);
    }
  },
);

test('port ranges come back as they were sent: a lower port alone, and lower with upper', async () => {
  const targetPortRanges = [
    { lowerPort: 80 },
    { lowerPort: 443, upperPort: 443 },
    { lowerPort: 8000, upperPort: 8100 },
    { lowerPort: 0, upperPort: 65_535 },
  ];
  const scope = {
    targetPrefixes: ['192.0.2.3/32'],
    targetPortRanges,
    targetProtocols: [],
    targetFqdns: [],
    targetUris: [],
    aliasNames: [],
  };
  const { codes } = await ask(path(3), { method: 'put', body: scopeBody([], { scope }) });
  expect(codes).toEqual(['2.01']);
  const [shown] = entriesIn((await ask(path(3))).payload);
  expect(shown?.scope.targetPortRanges).toStrictEqual(targetPortRanges);
});

test('A-086 a client that says goodbye, and one that dies, start nothing and end nothing', async () => {
  expect((await put(4, '192.0.2.4')).codes).toEqual(['2.01']);
  await put(5, '192.0.2.5', 'demo', { triggerMitigation: false });
  expect((await ask('hb', { method: 'put', body: HEARTBEAT, args: ['-N'] })).codes).toEqual(['2.04']);
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const leaving = watch(provider, path(4));
    await leaving.until(({ code }) => code === '2.05');
    await leaving.end(signal);
    await pause(3000);
    expect(await statusOf(5)).toBe('signalLoss');
    expect(['inProgress', 'mitigated']).toContain(await statusOf(4));
    expect(await isAlive()).toBe(true);
  }
}, 30_000);

test('what is not there: a mid is 2.02 to DELETE and 4.04 to GET, a sid as well', async () => {
  expect((await ask(path(999), { method: 'delete' })).codes).toEqual(['2.02']);
  expect((await ask(path(999))).codes).toEqual(['4.04']);
  expect((await ask('config/sid=999', { method: 'delete' })).codes).toEqual(['2.02']);
  expect((await ask('config/sid=999')).codes).toEqual(['4.04']);
  expect((await ask('config')).codes).toEqual(['2.05']);
});

test.each(['demo', 'other', 'routed'])('/.well-known/core tells %s of nobody', async (as) => {
  await put(6, '192.0.2.6');
  const { printed, payload } = await ask('/.well-known/core', { as });
  for (const secret of ['cuid', '192.0.2', 'demo'])
    expect(`${printed.slice(printed.indexOf('session connected'))}${String(payload)}`).not.toContain(secret);
});

test('A-055 A-074 a cuid of another domain is nobody’s: not read, not watched, not withdrawn, not taken', async () => {
  await put(7, '192.0.2.7');
  const foreign = { as: 'other' } as const;
  for (const there of ['mitigate/cuid=demo', path(7)]) {
    const { codes, payload } = await ask(there, foreign);
    expect([codes, payload.length]).toEqual([['4.04'], 0]);
    const observed = await ask(there, { ...foreign, args: ['-s', '1', '-N'] });
    expect(observed.codes.slice(0, 1)).toEqual(['4.04']);
  }
  expect((await ask(path(7), { ...foreign, method: 'delete' })).codes).toEqual(['2.02']);
  const taken = await ask(path(8), { ...foreign, method: 'put', body: scopeBody('203.0.113.8/32') });
  expect(taken.codes).toEqual(['4.09']);
  // Conflict cause 3, cuid-collision, and not a word on whose it is.
  expect(taken.printed).toContain('<<a101a10281a111a11303>>');
  expect(['inProgress', 'mitigated']).toContain(await statusOf(7));
  expect((await ask(path(8))).codes).toEqual(['4.04']);
});

test('A-252 a mitigator that hangs holds up nobody: neither its own clients, nor its fellow mitigator, nor other domains', async () => {
  const before = hanging.received.length;
  // More than the provider asks of one mitigator at once.
  for (let number = 30; number < 50; number++)
    expect((await atOnce(() => put(number, `192.0.2.${number}`))).codes).toEqual(['2.01']);
  await eventually(
    () => Promise.resolve(hanging.received.length),
    (length) => length >= before + 16,
  );
  await atOnce(() => put(50, '192.0.2.50'));
  await eventually(
    () => statusOf(50),
    (status) => status === 'mitigated',
    3000,
  );
  expect(polite.received.some(({ body }) => body.includes('"mid":50'))).toBe(true);
  expect((await atOnce(() => put(1, '192.0.2.200', 'second'))).codes).toEqual(['2.01']);
  expect((await atOnce(() => ask(path(1, 'second'), { as: 'second' }))).codes).toEqual(['2.05']);
  expect((await atOnce(() => put(1, '198.51.100.1', 'routed'))).codes).toEqual(['2.01']);
  await eventually(
    () => statusOf(1, 'routed'),
    (status) => status === 'mitigated',
    5000,
  );
  expect((await atOnce(() => ask(path(50), { method: 'delete' }))).codes).toEqual(['2.02']);
}, 60_000);

test('a mitigator that starts again with nothing is given everything again, and until then nothing is claimed', async () => {
  const address = '198.51.100.9/32';
  const isRouted = (text: string): boolean => text.includes(address);
  await put(9, '198.51.100.9', 'routed');
  const observer = watch(provider, path(9, 'routed'), { as: 'routed' });
  const shows = (status: Status) => (told: { code: string; payload: Uint8Array }) =>
    told.code === '2.05' && entriesIn(told.payload)[0]?.status === status;
  try {
    await observer.until(shows('mitigated'));
    await eventually(() => pair.seen('ipv4'), isRouted);
    await pair.stopLocal();
    await eventually(
      () => statusOf(9, 'routed'),
      (status) => status === 'inProgress',
      15_000,
    );
    await pair.startLocal();
    const startedAt = performance.now();
    await eventually(() => pair.seen('ipv4'), isRouted);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await eventually(
      () => statusOf(9, 'routed'),
      (status) => status === 'mitigated',
    );
    await eventually(
      () => Promise.resolve(observer.told().filter(({ code }) => code === '2.05')),
      (told) => told.some(shows('inProgress')) && told.slice(-1).some(shows('mitigated')),
    );
  } finally {
    await observer.end('SIGKILL');
  }
}, 90_000);
