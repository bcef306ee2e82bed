/** From a stock client's request to what the mitigators do, and back to what the client is told: nothing is played but the client's network. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify } from '#adapters/mitigators/webhook/signature.ts';
import type { Status } from '#core/model/status.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { type GobgpPair, makeGobgpPair } from '#test/support/gobgp-pair.ts';
import { eventually } from '#test/support/mitigator-world.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';
import { scopeBody } from '#test/support/signal-asks.ts';
import {
  type Answered,
  type Asking,
  ask as askAt,
  entriesIn,
  type Told,
  type Watching,
  watch,
} from '#test/support/stock-client.ts';
import { json, openReceiver, type Receiver } from '#test/support/webhook-receiver.ts';

const TERMINATING_SECONDS = 6;
const SECRET = randomBytes(24).toString('hex');

let home: string;
let pair: GobgpPair;
let receiver: Receiver;
let provider: ProviderProcess;
/** What a start that failed half-way has opened as well. */
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  receiver = await openReceiver();
  closers.push(() => receiver.close());
  pair = await makeGobgpPair();
  closers.push(() => pair.close());
  await Promise.all([pair.startLocal(), pair.startNeighbor()]);
  home = makeTemporaryHome(`
terminatingSeconds: ${TERMINATING_SECONDS}
mitigators:
  edge: { driver: gobgp, address: '${pair.address}', nextHop: 192.0.2.254 }
  scrubber: { driver: webhook, url: '${receiver.url}', secretFile: secret, allowPrivate: true, pollSeconds: 1 }
domains:
  demo: { prefixes: [192.0.2.0/24], mitigators: [{ name: edge, profile: blackhole }] }
  other: { mitigators: [{ name: scrubber, profile: divert }] }
  staffed: { prefixes: [198.51.100.0/24], mitigators: [{ name: alert, profile: divert }] }
`);
  closers.push(() => removeHome(home));
  writeFileSync(join(home, 'secret'), SECRET, { mode: 0o600 });
  provider = await startProviderProcess(home);
  closers.push(async () => {
    const { code, stderr } = await provider.stop();
    expect([code, stderr.replaceAll(/^\{.*\}\n/gm, '')]).toEqual([0, '']);
  });
  const added = await tocsin(home, 'client', 'add', 'staffed', 'staffed');
  if (added.code !== 0) throw new Error(added.stderr);
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

const watching = new Set<Watching>();
afterEach(async () => {
  for (const one of watching) await one.end('SIGKILL');
  watching.clear();
});

const ask = (path: string, asking: Asking = {}): Promise<Answered> => askAt(provider, path, asking);
/** A client's cuid is its name here. */
const path = (mid: number, as = 'demo'): string => `mitigate/cuid=${as}/mid=${mid}`;
const put = (mid: number, address: string, as = 'demo'): Promise<Answered> =>
  ask(path(mid, as), { as, method: 'put', body: scopeBody(`${address}/32`) });
const observe = (mid: number): Watching => {
  const one = watch(provider, path(mid));
  watching.add(one);
  return one;
};

/** As the client is told in this message; undefined when it shows no mitigation. */
const entryIn = ({ code, payload }: Pick<Told, 'code' | 'payload'>): ReceivedStatusEntry | undefined =>
  code === '2.05' ? entriesIn(payload)[0] : undefined;
const shows =
  (status: Status) =>
  (told: Told): boolean =>
    entryIn(told)?.status === status;
const statusOf = async (mid: number, as = 'demo'): Promise<ReceivedStatusEntry['status']> => {
  const { codes, payload } = await ask(path(mid, as), { as });
  return entryIn({ code: codes[0] ?? '', payload })?.status;
};
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What the neighbor has learnt of an address: one line per path. */
const routesOf = async (address: string): Promise<readonly string[]> =>
  (await pair.seen('ipv4')).split('\n').filter((line) => line.includes(`${address}/32`));

describe('gobgp', () => {
  test('A-022 A-218 S-182 S-183 S-186 S-187 a request is in progress until the route is at a neighbor; withdrawn, the route stays as long as is told, and goes', async () => {
    await pair.stopNeighbor();
    const askedAt = Math.floor(Date.now() / 1000);
    expect((await put(1, '192.0.2.1')).codes).toEqual(['2.01']);
    const observer = observe(1);
    const first = entryIn(await observer.until((told) => told.code === '2.05'));
    expect(first?.status).toBe('inProgress');
    await pause(4000);
    expect(observer.told().every(shows('inProgress'))).toBe(true);

    await pair.startNeighbor();
    const mitigated = entryIn(await observer.until(shows('mitigated'), 30_000));
    expect(await routesOf('192.0.2.1')).toEqual([
      expect.stringMatching(/\{Communities: blackhole, no-export\}/),
    ]);
    expect(Number(mitigated?.mitigationStart)).toBeGreaterThanOrEqual(askedAt);
    expect(Number(mitigated?.mitigationStart)).toBeLessThanOrEqual(askedAt + 2);

    expect((await ask(path(1), { method: 'delete' })).codes).toEqual(['2.02']);
    const withdrawnAt = performance.now();
    const terminating = entryIn(await observer.until(shows('activeButTerminating')));
    expect(terminating?.lifetimeSeconds).toBeLessThanOrEqual(TERMINATING_SECONDS);
    expect(await routesOf('192.0.2.1')).toHaveLength(1);
    await observer.until(shows('terminated'), (TERMINATING_SECONDS + 6) * 1000);
    expect(performance.now() - withdrawnAt).toBeGreaterThan((TERMINATING_SECONDS - 1) * 1000);
    await eventually(
      () => routesOf('192.0.2.1'),
      (routes) => routes.length === 0,
    );
    await observer.until(({ code }) => code === '4.04');
    expect(observer.told().filter(shows('terminated'))).toHaveLength(1);
    const statuses = observer.told().map((told) => entryIn(told)?.status);
    expect([...new Set(statuses)]).toEqual([
      'inProgress',
      'mitigated',
      'activeButTerminating',
      'terminated',
      undefined,
    ]);
  }, 90_000);

  test('S-215 S-220 S-224 S-226 an efficacy update with an empty If-Match refreshes what is there, and is passed over where nothing is', async () => {
    await put(2, '192.0.2.2');
    await eventually(
      () => statusOf(2),
      (status) => status === 'mitigated',
    );
    const update = scopeBody('192.0.2.2/32', {
      lifetimeSeconds: 7200,
      attackStatus: 'attackSuccessfullyMitigated',
    });
    const conditional = { method: 'put', body: update, args: ['-N', '-O', '1'] } as const;
    expect((await ask(path(2), conditional)).codes).toEqual(['2.04']);
    const { payload } = await ask(path(2));
    const [entry] = entriesIn(payload);
    expect(entry).toMatchObject({ status: 'mitigated' });
    expect(entry?.lifetimeSeconds).toBeGreaterThan(7150);
    // Key 29, attack-status, with its value: only clients say it.
    expect(Buffer.from(payload).toString('hex')).not.toContain('181d02');
    expect(await routesOf('192.0.2.2')).toHaveLength(1);

    const unknown = await ask(path(3), { ...conditional, patience: 10 });
    expect(unknown.codes).toEqual([]);
    expect((await ask(path(3))).codes).toEqual(['4.04']);
  }, 60_000);

  test('a provider that is killed comes back to every rule and status, and doubles none', async () => {
    const restart = async (): Promise<void> => {
      await provider.stop('SIGKILL');
      provider = await startProviderProcess(home);
    };
    await put(21, '192.0.2.21');
    await eventually(
      () => statusOf(21),
      (status) => status === 'mitigated',
    );
    expect((await put(22, '192.0.2.22')).codes).toEqual(['2.01']);
    await restart();
    for (const mid of [21, 22])
      await eventually(
        () => statusOf(mid),
        (status) => status === 'mitigated',
        15_000,
      );
    for (const address of ['192.0.2.21', '192.0.2.22']) expect(await routesOf(address)).toHaveLength(1);

    expect((await ask(path(21), { method: 'delete' })).codes).toEqual(['2.02']);
    await restart();
    expect(await statusOf(21)).toBe('activeButTerminating');
    expect(await routesOf('192.0.2.21')).toHaveLength(1);
    await eventually(
      () => routesOf('192.0.2.21'),
      (routes) => routes.length === 0,
      (TERMINATING_SECONDS + 10) * 1000,
    );
    expect((await ask(path(21))).codes).toEqual(['4.04']);
    expect(await routesOf('192.0.2.22')).toHaveLength(1);
    expect(await statusOf(22)).toBe('mitigated');
  }, 120_000);
});

describe('webhook', () => {
  test('A-002 A-054 A-249 the receiver is asked by a signed request; its word is the status, its counts are the client’s', async () => {
    receiver.received.length = 0;
    receiver.answer = json({ state: 'pending' });
    await put(31, '203.0.113.31', 'other');
    const [request] = await eventually(
      () => Promise.resolve(receiver.received),
      (received) => received.length > 0,
    );
    const { headers, body = '' } = request ?? {};
    const now = Math.floor(Date.now() / 1000);
    const signature = String(headers?.['x-dots-signature']);
    expect(verify(signature, SECRET, body, now)).toBe(true);
    expect(verify(signature, SECRET, `${body} `, now)).toBe(false);
    expect(headers?.['x-dots-event']).toBe('mitigation.ensure');
    expect(JSON.parse(body)).toMatchObject({
      domain: 'other',
      mid: 31,
      profile: 'divert',
      scope: { targets: [{ prefix: '203.0.113.31/32' }] },
    });
    expect(await statusOf(31, 'other')).toBe('inProgress');

    receiver.answer = json({
      state: 'active',
      statusUrl: new URL('/status', receiver.url).href,
      metrics: { bytesDropped: '123456789012', pktsDropped: '98765' },
    });
    const entry = await eventually(
      async () => entriesIn((await ask(path(31, 'other'), { as: 'other' })).payload)[0],
      (shown) => shown?.status === 'mitigated' && shown.bytesDropped !== undefined,
      20_000,
    );
    expect(entry).toMatchObject({ bytesDropped: 123_456_789_012n, pktsDropped: 98_765n });
    await ask(path(31, 'other'), { as: 'other', method: 'delete' });
    await eventually(
      () => Promise.resolve(receiver.received),
      (received) => received.some((one) => one.headers['x-dots-event'] === 'mitigation.remove'),
      (TERMINATING_SECONDS + 10) * 1000,
    );
  }, 60_000);

  test('A-015 S-185 a receiver that refuses: the client is told 4', async () => {
    receiver.answer = json({ state: 'refused', reason: 'no capacity' });
    await put(32, '203.0.113.32', 'other');
    await eventually(
      () => statusOf(32, 'other'),
      (status) => status === 'exceededCapability',
    );
  }, 30_000);
});

test('A-051 each domain’s requests go to its own mitigator, and how each of them is can be asked', async () => {
  receiver.answer = json({ state: 'active' });
  receiver.received.length = 0;
  await put(51, '192.0.2.51');
  await put(51, '203.0.113.51', 'other');
  await put(51, '198.51.100.51', 'staffed');
  await eventually(
    () => routesOf('192.0.2.51'),
    (routes) => routes.length === 1,
  );
  const orders = async (): Promise<string> => (await tocsin(home, 'mitigator', 'orders')).stdout;
  await eventually(orders, (text) => text.includes('198.51.100.51/32'));
  await eventually(
    () => Promise.resolve(receiver.received),
    (received) => received.some(({ body }) => body.includes('203.0.113.51/32')),
  );
  expect(await pair.seen('ipv4')).not.toMatch(/203\.0\.113\.51|198\.51\.100\.51/);
  expect(await orders()).not.toMatch(/203\.0\.113\.51|192\.0\.2\.51/);
  for (const elsewhere of ['192.0.2.51', '198.51.100.51'])
    expect(receiver.received.some(({ body }) => body.includes(elsewhere))).toBe(false);
  const health = await tocsin(home, 'mitigator', 'health', '--json');
  expect(JSON.parse(health.stdout)).toMatchObject(
    ['alert', 'edge', 'scrubber'].map((name) => ({ name, healthy: true })),
  );
}, 60_000);

describe('alert', () => {
  test('A-052 S-182 a person is the mitigator: in progress until the order is confirmed', async () => {
    expect((await put(41, '198.51.100.41', 'staffed')).codes).toEqual(['2.01']);
    const orders = await eventually(
      async () => JSON.parse((await tocsin(home, 'mitigator', 'orders', '--json')).stdout) as object[],
      (listed) => JSON.stringify(listed).includes('"mid":41,'),
    );
    expect(orders.filter((order) => JSON.stringify(order).includes('"mid":41,'))).toMatchObject([
      {
        domainId: 'staffed',
        cuid: 'staffed',
        state: 'open',
        targets: [{ prefix: '198.51.100.41/32', protocols: [], portRanges: [] }],
      },
    ]);
    await pause(6000);
    expect(await statusOf(41, 'staffed')).toBe('inProgress');
    expect((await tocsin(home, 'mitigator', 'confirm', 'staffed', 'staffed', '41')).code).toBe(0);
    await eventually(
      () => statusOf(41, 'staffed'),
      (status) => status === 'mitigated',
    );
  }, 60_000);
});
