/** RFC 9132 §4.5: the configuration of a session discovered, negotiated, observed and deleted. */
import { OPTION } from '#core/coap/option-number.ts';
import type { Bounded, ConfigSet, SignalConfigBody } from '#core/signal/bodies.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import { fromHex } from '#test/support/hex.ts';
import {
  codeOf,
  configOf,
  hexOf,
  maxAgeOf,
  mitigation,
  scopeBody,
  textOf,
} from '#test/support/signal-asks.ts';
import type { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, BOB, SignalWorld } from '#test/support/signal-world.ts';

const FIGURE_23 = fromHex(
  'a1181ea21820a61821a11824181e1825a118240f1832a118240f1826a11824031827a1182bc4822118c81828a1182bc482211896182ca41821a11824001826a11824031827a1182bc4822118c81828a1182bc482211896',
);

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

const set = (values: Partial<Record<keyof ConfigSet, number>>): ConfigSet =>
  Object.fromEntries(Object.entries(values).map(([name, current]) => [name, { current }]));

const put = async (client: SignalClient, sid: number, body: SignalConfigBody) =>
  client.answerTo('put', `config/sid=${sid}`, { payload: encodeConfig(body), confirmable: true });

const shown = async (client: SignalClient, path = 'config') =>
  configOf(await client.answerTo('get', path, { confirmable: true }));

test('S-249 S-250 S-251 configuration is asked and answered Confirmable, and NON is accepted too', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('get', 'config', { confirmable: true });
  await alice.ask('get', 'config');
  expect(alice.datagrams().map(({ type }) => type)).toEqual([2, 1]);
});

test('S-253 S-256 S-262 S-264 S-266 a fresh session is told defaults and bounds of both sets, byte by byte as Figure 20', async () => {
  const alice = await world.connect(ALICE);
  const answer = await alice.answerTo('get', 'config', { confirmable: true });
  expect(codeOf(answer)).toBe('2.05');
  // Figure 20 but for the probing rate in use, whose default is 5 (§4.5.2).
  const one =
    '1821a3182218f018230f1824181e' +
    '1825a318221418230318240f' +
    '1832a3182214182305182405' +
    '1826a318220f182302182403' +
    '1827a31829c48221190bb8182ac482211864182bc4822118c8' +
    '1828a31829c48221190190182ac48221186e182bc482211896';
  expect(hexOf(answer)).toBe(`a1181ea21820a6${one}182ca6${one}`);
});

test('S-259 min <= current <= max of every parameter', async () => {
  const alice = await world.connect(ALICE);
  const { mitigating = {}, idle = {} } = await shown(alice);
  const told = [mitigating, idle].flatMap((parameters) => Object.values(parameters) as Bounded[]);
  expect(told).toHaveLength(12);
  for (const { min = NaN, max = NaN, current = NaN } of told) {
    expect(min).toBeLessThanOrEqual(current);
    expect(max).toBeGreaterThanOrEqual(current);
  }
});

test('P-274 S-245 over TCP only the heartbeat interval is told, and the others are accepted without effect', async () => {
  const alice = await world.connect(ALICE, { transport: 'tcp' });
  expect(Object.keys((await shown(alice)).idle ?? {})).toEqual(['heartbeatInterval']);
  const answer = await put(alice, 1, { idle: set({ heartbeatInterval: 60, maxRetransmit: 7 }) });
  expect(codeOf(answer)).toBe('2.01');
  expect((await shown(alice)).idle).toEqual({ heartbeatInterval: { min: 15, max: 240, current: 60 } });
  expect(codeOf(await put(alice, 2, { idle: set({ maxRetransmit: 99 }) }))).toBe('4.22');
});

test('S-277 S-278 a new sid is 2.01, the installed one 2.04, and the values are in use', async () => {
  const alice = await world.connect(ALICE);
  expect(codeOf(await put(alice, 1, { idle: set({ heartbeatInterval: 60 }) }))).toBe('2.01');
  expect(codeOf(await put(alice, 1, { idle: set({ heartbeatInterval: 90 }) }))).toBe('2.04');
  expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(90);
});

test('S-258 S-267 S-272 each PUT replaces the whole: what it leaves out is at its default again', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 1, { mitigating: set({ maxRetransmit: 5 }) });
  const first = await shown(alice);
  expect([first.mitigating?.maxRetransmit?.current, first.idle?.maxRetransmit?.current]).toEqual([5, 3]);
  await put(alice, 2, { idle: set({ ackTimeout: 4 }) });
  const second = await shown(alice);
  expect([second.mitigating?.maxRetransmit?.current, second.idle?.ackTimeout?.current]).toEqual([3, 4]);
});

test('S-273 S-274 S-275 a higher sid replaces the lower one, which then is gone and may not come back', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 1, { idle: set({ heartbeatInterval: 60 }) });
  await put(alice, 5, { idle: set({ heartbeatInterval: 90 }) });
  expect(codeOf(await alice.ask('get', 'config/sid=1', { confirmable: true }))).toBe('4.04');
  const lower = await put(alice, 4, { idle: set({ heartbeatInterval: 120 }) });
  expect(codeOf(lower)).toBe('4.00');
  expect(textOf(lower)).toContain('sid');
  expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(90);
});

test('S-284 S-285 S-412 GET with the installed sid tells what was negotiated, without sid in the body; another sid is 4.04', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 7, { idle: set({ heartbeatInterval: 60 }) });
  const answer = await alice.answerTo('get', 'config/sid=7', { confirmable: true });
  expect([configOf(answer).sid, configOf(answer).idle?.heartbeatInterval?.current]).toEqual([undefined, 60]);
  const other = await alice.answerTo('get', 'config/sid=77', { confirmable: true });
  expect([codeOf(other), textOf(other)]).toEqual(['4.04', 'sid 77 not found']);
});

test.each([
  ['heartbeatInterval', 14],
  ['heartbeatInterval', 241],
  ['missingHbAllowed', 0],
  ['probingRate', 21],
  ['maxRetransmit', 1],
  ['ackTimeout', 0.99],
  ['ackRandomFactor', 0.5],
] as const)(
  'S-279 S-419 %s of %d is 4.22 with a diagnostic, and nothing of that PUT is applied',
  async (name, value) => {
    const alice = await world.connect(ALICE);
    const answer = await put(alice, 1, {
      idle: set({ heartbeatInterval: 60 }),
      mitigating: set({ [name]: value }),
    });
    expect(codeOf(answer)).toBe('4.22');
    expect(textOf(answer)).toContain(name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
    expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(30);
  },
);

test('S-262 the bounds themselves are acceptable', async () => {
  const alice = await world.connect(ALICE);
  expect(codeOf(await put(alice, 1, { idle: set({ heartbeatInterval: 15 }) }))).toBe('2.01');
  expect(codeOf(await put(alice, 2, { idle: set({ heartbeatInterval: 240 }) }))).toBe('2.01');
});

test('S-276 S-283 no sid, an unknown key, a value of the wrong type, a bound: all 4.00, whatever else is unacceptable', async () => {
  const alice = await world.connect(ALICE);
  const bad = [
    ['config', encodeConfig({ idle: set({ heartbeatInterval: 60 }) })],
    ['config/sid=1', fromHex('a1181ea1182ca1 1864 a11824183c')],
    ['config/sid=1', fromHex('a1181ea1182ca1 1821 a118246131')],
    ['config/sid=1', fromHex('a1181ea1182ca1 1821 a2182218f01824183c')],
    ['config/sid=1', fromHex('a1181ea1182ca2 1821 a1182405 1826 a118246131')],
    ['config/sid=1', fromHex('a1181ea0')],
  ] as const;
  for (const [path, payload] of bad) {
    const answer = await alice.answerTo('put', path, { payload, confirmable: true });
    expect([path, codeOf(answer)]).toEqual([path, '4.00']);
    expect(textOf(answer)).not.toBe('');
  }
});

test('A-206 S-282 S-257 Figure 23 is accepted, and idle heartbeats stop', async () => {
  const alice = await world.connect(ALICE);
  const answer = await alice.answerTo('put', 'config/sid=123', { payload: FIGURE_23, confirmable: true });
  expect(codeOf(answer)).toBe('2.01');
  const before = alice.heartbeats.length;
  await world.advance(600);
  expect(alice.heartbeats).toHaveLength(before);
});

test('a provider that needs heartbeats refuses 0 with 4.22', async () => {
  await world.close();
  const { DEFAULT_BOUNDS } = await import('#core/session/config-bounds.ts');
  world = await SignalWorld.open({
    settings: { bounds: { ...DEFAULT_BOUNDS, heartbeatMayBeDisabled: false } },
  });
  const alice = await world.connect(ALICE);
  expect(codeOf(await put(alice, 1, { idle: set({ heartbeatInterval: 0 }) }))).toBe('4.22');
});

test('S-286 S-293 configuration answers carry Max-Age', async () => {
  await world.close();
  world = await SignalWorld.open({ settings: { configMaxAgeSeconds: 600 } });
  const alice = await world.connect(ALICE);
  await put(alice, 1, { idle: set({ heartbeatInterval: 60 }) });
  for (const path of ['config', 'config/sid=1'])
    expect(maxAgeOf(await alice.answerTo('get', path, { confirmable: true }))).toBe(600);
});

test('S-287 a Max-Age of 0 is refused at the start, 2^32-1 is possible', async () => {
  await expect(SignalWorld.open({ settings: { configMaxAgeSeconds: 0 } })).rejects.toThrow(
    'configMaxAgeSeconds',
  );
  await world.close();
  world = await SignalWorld.open({ settings: { configMaxAgeSeconds: 2 ** 32 - 1 } });
  const alice = await world.connect(ALICE);
  expect(maxAgeOf(await alice.answerTo('get', 'config', { confirmable: true }))).toBe(2 ** 32 - 1);
});

test('S-291 Max-Age passing ends no session', async () => {
  await world.close();
  world = await SignalWorld.open({ settings: { configMaxAgeSeconds: 60 } });
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await alice.ask('get', 'config', { confirmable: true });
  await world.advance(180);
  expect(alice.closed).toBeUndefined();
  expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
});

test('S-294 an observer of config is sent every change, on this session or another of the same client', async () => {
  const [one, two] = [await world.connect(ALICE), await world.connect(ALICE)];
  const exchange = one.send('get', 'config', { observe: 0, confirmable: true });
  await world.settle();
  await put(two, 1, { idle: set({ heartbeatInterval: 60 }) });
  await world.advance(4);
  await put(one, 2, { idle: set({ heartbeatInterval: 90 }) });
  await world.advance(4);
  const intervals = one
    .told(exchange)
    .map(({ response }) => configOf(response).idle?.heartbeatInterval?.current);
  expect(intervals).toEqual([30, 60, 90]);
  expect(one.told(exchange).every(({ response }) => (maxAgeOf(response) ?? 0) > 0)).toBe(true);
  const notifications = one.datagrams().filter(({ type }) => type === 1);
  expect(notifications).toHaveLength(2);
});

test('S-294 an observer of a sid is told 4.04 when a higher one replaces it', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 1, { idle: set({ heartbeatInterval: 60 }) });
  const exchange = alice.send('get', 'config/sid=1', { observe: 0, confirmable: true });
  await world.settle();
  await put(alice, 2, { idle: set({ heartbeatInterval: 90 }) });
  await world.advance(8);
  expect(alice.told(exchange).map(({ response }) => codeOf(response))).toEqual(['2.05', '4.04']);
  expect(world.server.stats().observers).toBe(0);
});

test('S-296 S-297 S-298 DELETE with the sid or without any resets to the defaults; mitigate has no such thing', async () => {
  const alice = await world.connect(ALICE);
  for (const path of ['config/sid=1', 'config']) {
    await put(alice, 1, { idle: set({ heartbeatInterval: 60 }) });
    const answer = await alice.answerTo('delete', path, { confirmable: true });
    expect([codeOf(answer), answer.payload.length]).toEqual(['2.02', 0]);
    expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(30);
  }
  expect(codeOf(await alice.ask('delete', 'config', { confirmable: true }))).toBe('2.02');
  expect(codeOf(await alice.ask('delete', 'mitigate'))).toBe('4.00');
});

test('DELETE of a sid that is not installed is 2.02 and changes nothing', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 2, { idle: set({ heartbeatInterval: 60 }) });
  expect(codeOf(await alice.ask('delete', 'config/sid=1', { confirmable: true }))).toBe('2.02');
  expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(60);
});

test('a configuration is its client’s: another one neither sees nor changes it', async () => {
  const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
  await put(alice, 5, { idle: set({ heartbeatInterval: 60 }) });
  expect(codeOf(await bob.ask('get', 'config/sid=5', { confirmable: true }))).toBe('4.04');
  await bob.ask('delete', 'config', { confirmable: true });
  expect(codeOf(await put(bob, 1, { idle: set({ heartbeatInterval: 90 }) }))).toBe('2.01');
  expect((await shown(alice)).idle?.heartbeatInterval?.current).toBe(60);
});

test('what was negotiated is there again when the client comes back', async () => {
  const alice = await world.connect(ALICE);
  await put(alice, 5, { idle: set({ heartbeatInterval: 60 }) });
  alice.leave();
  await world.settle();
  const again = await world.connect(ALICE, { resumed: true });
  expect((await shown(again)).idle?.heartbeatInterval?.current).toBe(60);
});

test('S-418 Accept of another format is 4.06, of 271 and none 2.05', async () => {
  const alice = await world.connect(ALICE);
  const accept = (...bytes: number[]) => ({
    options: [{ number: OPTION.accept, value: Uint8Array.from(bytes) }],
  });
  expect(codeOf(await alice.ask('get', 'config', accept(50)))).toBe('4.06');
  expect(codeOf(await alice.ask('get', 'config', accept(1, 15)))).toBe('2.05');
  expect(codeOf(await alice.ask('get', 'config'))).toBe('2.05');
});
