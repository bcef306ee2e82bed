/** The webhook driver against a receiver that keeps to the contract, and one that does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPublic } from '#adapters/mitigators/webhook/addresses.ts';
import { webhookConfigSchema } from '#adapters/mitigators/webhook/config.ts';
import { verify } from '#adapters/mitigators/webhook/signature.ts';
import { createWebhookMitigator } from '#adapters/mitigators/webhook/webhook.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { type ManualClock, manualClock } from '#test/support/manual-clock.ts';
import { makePlanFor } from '#test/support/mitigator-world.ts';
import { makeTestPki } from '#test/support/pki.ts';
import { json, openReceiver, type Receiver } from '#test/support/webhook-receiver.ts';
import { describeMitigator } from './mitigator-contract.ts';

const SECRET = 'correct horse battery staple';
const PREVIOUS = 'the secret that was before it';

let folder: string;
let receiver: Receiver;
let clock: ManualClock;
let driver: Mitigator;

const driverWith = (settings: object, timeoutMs = 500): Mitigator =>
  createWebhookMitigator(
    'vendor',
    webhookConfigSchema.parse({
      driver: 'webhook',
      url: receiver.url,
      secretFile: join(folder, 'secret'),
      allowPrivate: true,
      ...settings,
    }),
    { clock, timeoutMs },
  );

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-webhook-'));
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
  writeFileSync(join(folder, 'previous'), PREVIOUS);
});

beforeEach(async () => {
  receiver = await openReceiver();
  clock = manualClock();
  driver = driverWith({});
});

afterEach(() => receiver.close());

afterAll(() => rmSync(folder, { recursive: true }));

describe('the contract', () => {
  describeMitigator(() => ({
    mitigator: driver,
    profile: 'divert',
    canList: false,
    confirm: async () => {},
  }));
});

const last = () => {
  const request = receiver.received.at(-1);
  if (request === undefined) throw new Error('nothing was received');
  return request;
};

const header = (name: string): string => last().headers[name] as string;

test('A-052 the request says who asks for what, signed over time and body with both secrets', async () => {
  driver = driverWith({ previousSecretFile: join(folder, 'previous') });
  const plan = makePlanFor({
    profile: 'divert',
    generation: 4,
    targets: [
      {
        prefix: '192.0.2.0/24',
        protocols: [6],
        portRanges: [{ lowerPort: 80 }, { lowerPort: 90, upperPort: 99 }],
      },
    ],
  });
  await driver.ensure(plan);
  expect(JSON.parse(last().body)).toEqual({
    version: 1,
    domain: plan.key.domainId,
    cuid: plan.key.cuid,
    mid: plan.key.mid,
    generation: 4,
    profile: 'divert',
    scope: {
      targets: [
        {
          prefix: '192.0.2.0/24',
          protocols: [6],
          ports: [
            [80, 80],
            [90, 99],
          ],
        },
      ],
    },
    lifetime: 600,
    expiresAt: clock.epochSeconds() + 600,
  });
  expect(header('x-dots-event')).toBe('mitigation.ensure');
  const now = clock.epochSeconds();
  const signature = header('x-dots-signature');
  expect(signature).toMatch(/^t=\d+,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
  expect(verify(signature, SECRET, last().body, now)).toBe(true);
  expect(verify(signature, PREVIOUS, last().body, now)).toBe(true);
  expect(verify(signature, SECRET, `${last().body} `, now)).toBe(false);
  expect(verify(signature, SECRET, last().body, now + 301)).toBe(false);
  await driver.remove(plan);
  expect(header('x-dots-event')).toBe('mitigation.remove');
});

test('a repetition has the delivery id of the first, another generation has its own', async () => {
  const ids = async (plan: Parameters<Mitigator['ensure']>[0]): Promise<string> => {
    await driver.ensure(plan);
    return header('x-dots-delivery');
  };
  const first = await ids(makePlanFor());
  // The same end of the lifetime, two seconds later.
  clock.advance(2);
  expect(await ids(makePlanFor({ leaseSeconds: 598 }))).toBe(first);
  expect(await ids(makePlanFor({ generation: 2 }))).not.toBe(first);
  expect(await ids(makePlanFor({ number: 2 }))).not.toBe(first);
});

test('what the receiver reports is told: actual scope, reason, counts beyond what a double holds', async () => {
  receiver.answer = json({
    state: 'pending',
    reason: 'diverting',
    actualScope: { targets: [{ prefix: '192.0.2.0/24' }] },
    metrics: { bytesDropped: '18446744073709551615', pktsDropped: '9007199254740993' },
  });
  const result = await driver.ensure(makePlanFor());
  expect(result).toEqual({
    state: 'pending',
    reason: 'diverting',
    actualTargets: [{ prefix: '192.0.2.0/24', protocols: [], portRanges: [] }],
  });
  expect((await driver.collect(makePlanFor()))?.counters).toEqual({
    bytesDropped: 18_446_744_073_709_551_615n,
    packetsDropped: 9_007_199_254_740_993n,
  });
});

test('statusUrl is polled at its interval, signed, until the receiver knows nothing of it any more', async () => {
  receiver.answer = json({ state: 'pending', statusUrl: `${receiver.url}/7` });
  await driver.ensure(makePlanFor());
  receiver.answer = json({ state: 'active' });
  expect((await driver.collect(makePlanFor()))?.state).toBe('pending');
  expect(receiver.received).toHaveLength(1);
  clock.advance(30);
  expect((await driver.collect(makePlanFor()))?.state).toBe('active');
  expect(last()).toMatchObject({ method: 'GET', path: '/dots/7' });
  expect(verify(header('x-dots-signature'), SECRET, '', clock.epochSeconds())).toBe(true);
  // The answer left out where to ask: it is still asked there.
  clock.advance(30);
  receiver.answer = json({}, 404);
  expect(await driver.collect(makePlanFor())).toBeUndefined();
  expect(last().path).toBe('/dots/7');
});

test('without a statusUrl what is pending is asked for again, and what is active is believed', async () => {
  receiver.answer = json({ state: 'pending' });
  await driver.ensure(makePlanFor());
  clock.advance(30);
  expect(await driver.collect(makePlanFor())).toBeUndefined();
  receiver.answer = json({ state: 'active' });
  await driver.ensure(makePlanFor());
  clock.advance(300);
  expect((await driver.collect(makePlanFor()))?.state).toBe('active');
});

describe('a hostile receiver', () => {
  const refused = (): Promise<unknown> => driver.ensure(makePlanFor());

  test('that never answers is cut off', async () => {
    receiver.answer = () => undefined;
    const started = performance.now();
    await expect(refused()).rejects.toThrow('no answer in time');
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('that drips its answer is cut off', async () => {
    receiver.answer = (_request, response) => {
      response.writeHead(200).write('{');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    await expect(refused()).rejects.toThrow('no answer in time');
  });

  test('that answers without end is cut off', async () => {
    receiver.answer = (_request, response) => {
      response.writeHead(200).end('x'.repeat(70_000));
    };
    await expect(refused()).rejects.toThrow('answers more than 65536 bytes');
  });

  test('that redirects is not followed', async () => {
    const elsewhere = await openReceiver();
    receiver.answer = (_request, response) => {
      response.writeHead(307, { Location: elsewhere.url }).end();
    };
    await expect(refused()).rejects.toThrow('redirects are not followed');
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });

  test.each([
    ['an error', json({ state: 'active' }, 500), 'answers 500'],
    ['no such thing', json({ state: 'active' }, 404), 'answers 404'],
    ['an unknown state', json({ state: 'mitigated' }), 'answer is wrong'],
    ['no state', json({}), 'answer is wrong'],
    [
      'a negative count',
      json({ state: 'active', metrics: { bytesDropped: '-1', pktsDropped: '0' } }),
      'wrong',
    ],
    ['a count as a number', json({ state: 'active', metrics: { bytesDropped: 1, pktsDropped: 0 } }), 'wrong'],
    [
      'a count beyond 64 bits',
      json({ state: 'active', metrics: { bytesDropped: '18446744073709551616', pktsDropped: '0' } }),
      'wrong',
    ],
    [
      'what nobody asked for',
      json({ state: 'active', actualScope: { targets: [{ prefix: '203.0.113.0/24' }] } }),
      '203.0.113.0/24, which nobody asked for',
    ],
    ['a statusUrl elsewhere', json({ state: 'pending', statusUrl: 'https://203.0.113.9/' }), 'not its own'],
  ])('that answers %s is not believed', async (_what, answer, complaint) => {
    receiver.answer = answer;
    await expect(refused()).rejects.toThrow(complaint);
    expect(await driver.collect(makePlanFor())).toBeUndefined();
  });

  test('that answers no JSON is not believed', async () => {
    receiver.answer = (_request, response) => {
      response.writeHead(200).end('<html>');
    };
    await expect(refused()).rejects.toThrow('no JSON');
  });

  test('that is gone shows in the health', async () => {
    await receiver.close();
    await expect(refused()).rejects.toThrow('ECONNREFUSED');
    expect(await driver.health()).toMatchObject({
      healthy: false,
      detail: expect.stringContaining('ECONNREFUSED') as string,
    });
    receiver = await openReceiver();
  });

  test('whose reason would break a log line is told without its control characters', async () => {
    receiver.answer = json({ state: 'refused', reason: `no\n${'x'.repeat(500)}` });
    const { reason = '' } = await driver.ensure(makePlanFor());
    expect(reason).toMatch(/^no x+$/);
    expect(reason).toHaveLength(200);
  });
});

describe('where it may go', () => {
  const parse = (settings: object) =>
    webhookConfigSchema.safeParse({ driver: 'webhook', secretFile: 's', ...settings }).success;

  test('https anywhere, http only to loopback and only where private receivers are allowed', () => {
    expect(parse({ url: 'https://mitigation.example/' })).toBe(true);
    expect(parse({ url: 'http://mitigation.example/', allowPrivate: true })).toBe(false);
    expect(parse({ url: 'http://127.0.0.1/', allowPrivate: true })).toBe(true);
    expect(parse({ url: 'http://[::1]/', allowPrivate: true })).toBe(true);
    expect(parse({ url: 'http://127.0.0.1/' })).toBe(false);
    expect(parse({ url: 'https://user:pass@mitigation.example/' })).toBe(false);
    expect(parse({ url: 'file:///etc/passwd', allowPrivate: true })).toBe(false);
  });

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '192.168.0.1',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    'nonsense',
  ])('%s is not public', (address) => expect(isPublic(address)).toBe(false));

  test.each(['8.8.8.8', '2606:4700::1', '172.32.0.1'])('%s is public', (address) =>
    expect(isPublic(address)).toBe(true),
  );

  test('a private address is refused at the connection, as a literal and behind a name', async () => {
    const { port } = new URL(receiver.url);
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f000001']) {
      const careful = driverWith({ url: `https://${host}:${port}/`, allowPrivate: false });
      await expect(careful.ensure(makePlanFor())).rejects.toThrow('not an address to connect to');
    }
    expect(receiver.received).toEqual([]);
  });

  test('over https the certificate is checked, against the configured authority alone', async () => {
    const pki = await makeTestPki();
    const secure = await openReceiver({ cert: pki.server.certificate, key: pki.server.key });
    try {
      writeFileSync(join(folder, 'ca.pem'), pki.ca);
      const trusting = driverWith({ url: secure.url, caFile: join(folder, 'ca.pem') });
      expect((await trusting.ensure(makePlanFor())).state).toBe('active');
      const doubting = driverWith({ url: secure.url });
      await expect(doubting.ensure(makePlanFor())).rejects.toThrow(/certificate/);
      expect(secure.received).toHaveLength(1);
    } finally {
      await secure.close();
    }
  });

  test('a secret that is too short does not start', () => {
    writeFileSync(join(folder, 'short'), 'secret');
    expect(() => driverWith({ secretFile: join(folder, 'short') })).toThrow('at least 16 are needed');
  });
});
