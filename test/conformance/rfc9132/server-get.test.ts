/** RFC 9132 §4.4.2: what GET shows, to whom, and in what shape. */
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import {
  CUID,
  codeOf,
  entriesOf,
  entryOf,
  hexOf,
  mitigation,
  optionOf,
  scopeBody,
  textOf,
} from '#test/support/signal-asks.ts';
import { ALICE, BOB, SignalWorld } from '#test/support/signal-world.ts';

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

test('S-158 S-159 cuid is mandatory, and no parameter is empty', async () => {
  const alice = await world.connect(ALICE);
  for (const path of ['mitigate', 'mitigate/cuid=', `mitigate/cuid=${CUID}/mid=`, 'mitigate/mid=1'])
    expect(codeOf(await alice.ask('get', path))).toBe('4.00');
});

test('S-170 with cuid alone all of the client, with mid that one', async () => {
  const alice = await world.connect(ALICE);
  for (const mid of [3, 1, 2])
    await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
  expect(entriesOf(await alice.answerTo('get', mitigation())).map(({ mid }) => mid)).toEqual([1, 2, 3]);
  expect(entryOf(await alice.answerTo('get', mitigation(2))).mid).toBe(2);
});

test('S-172 S-173 an unknown mid and a client without any are 4.04 with a diagnostic', async () => {
  const alice = await world.connect(ALICE);
  for (const path of [mitigation(999), mitigation()]) {
    const answer = await alice.answerTo('get', path);
    expect(codeOf(answer)).toBe('4.04');
    expect(textOf(answer)).toMatch(/not found/);
  }
});

test("A-055 S-008 S-174 another client's records do not exist, not even within a domain", async () => {
  const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await bob.ask('put', mitigation(1, 'bobbobbobbobbobbobbobb'), { payload: scopeBody('192.0.2.9/32') });
  for (const path of [mitigation(), mitigation(1)]) {
    const answer = await bob.answerTo('get', path);
    expect(codeOf(answer)).toBe('4.04');
    expect(textOf(answer)).not.toContain('192.0.2.1');
  }
});

test('S-161 c=c leaves the state out, c=n the configuration, anything else nothing; mid is in all', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await world.report(CUID, 1, { counters: { bytesDropped: 10n, packetsDropped: 2n } });
  const shown = async (query?: string) =>
    entryOf(await alice.answerTo('get', mitigation(1), query === undefined ? {} : { query }));
  const configuration = await shown('c=c');
  expect(configuration.scope.targetPrefixes).toEqual(['192.0.2.1/32']);
  expect([configuration.mid, configuration.status, configuration.mitigationStart]).toEqual([
    1,
    undefined,
    undefined,
  ]);
  expect(configuration.bytesDropped).toBeUndefined();
  const state = await shown('c=n');
  expect(state.scope).toEqual(EMPTY_SCOPE);
  expect([state.mid, state.status, state.bytesDropped]).toEqual([1, 'mitigated', 10n]);
  for (const query of [undefined, 'c=a', 'c=x', 'depth=1']) {
    const all = await shown(query);
    expect([all.scope.targetPrefixes, all.status]).toEqual([['192.0.2.1/32'], 'mitigated']);
  }
});

test('S-171 prefixes and ports come back in the order and form of the request', async () => {
  const alice = await world.connect(ALICE);
  const scope = {
    ...EMPTY_SCOPE,
    targetPrefixes: ['192.0.2.77/31', '192.0.2.1/32'],
    targetPortRanges: [{ lowerPort: 443 }, { lowerPort: 80, upperPort: 90 }],
  };
  await alice.ask('put', mitigation(1), { payload: scopeBody('', { scope }) });
  expect(entryOf(await alice.answerTo('get', mitigation(1))).scope).toEqual(scope);
});

test('S-091 S-177 lifetime is what remains, and counts down', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const before = entryOf(await alice.answerTo('get', mitigation(1))).lifetimeSeconds ?? 0;
  await world.advance(5);
  expect(before - (entryOf(await alice.answerTo('get', mitigation(1))).lifetimeSeconds ?? 0)).toBe(5);
});

test('S-007 S-092 at the end of its lifetime a mitigation is gone', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32', { lifetimeSeconds: 30 }) });
  await world.advance(29);
  expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
  await world.advance(1);
  expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
});

test('S-094 S-176 S-189 mitigation-start is the moment of the start, and absent with status 8', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await alice.ask('put', mitigation(2), {
    payload: scopeBody('192.0.2.2/32', { triggerMitigation: false }),
  });
  const [active, waiting] = entriesOf(await alice.answerTo('get', mitigation()));
  expect(active?.mitigationStart).toBe(BigInt(world.wall));
  expect([waiting?.status, waiting?.mitigationStart, waiting?.triggerMitigation]).toEqual([
    'signalLoss',
    undefined,
    false,
  ]);
});

test.each([
  ['S-182', undefined, 'inProgress', '1001'],
  ['S-183', 'active', 'mitigated', '1002'],
  ['S-184', 'stopped', 'stopped', '1003'],
  ['S-185', 'failed', 'exceededCapability', '1004'],
] as const)(
  '%s S-047 S-178 what a mitigator reports as %s is told as %s, on the wire key and value %s',
  async (_, state, status, wire) => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    if (state !== undefined) await world.report(CUID, 1, { state });
    const answer = await alice.answerTo('get', mitigation(1), { query: 'c=n' });
    expect(entryOf(answer).status).toBe(status);
    expect(hexOf(answer)).toContain(wire);
  },
);

test('S-186 after DELETE the status is 5', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await alice.ask('delete', mitigation(1));
  const answer = await alice.answerTo('get', mitigation(1), { query: 'c=n' });
  expect(entryOf(answer).status).toBe('activeButTerminating');
  expect(hexOf(answer)).toContain('1005');
});

test('S-179 totals wrap at 2^64-1, whoever counted', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const counted = (mitigator: string, bytes: bigint) =>
    world.report(CUID, 1, { mitigator, counters: { bytesDropped: bytes, packetsDropped: 1n } });
  await counted('edge', 2n ** 64n - 1n);
  await counted('filter', 2n);
  const entry = entryOf(await alice.answerTo('get', mitigation(1)));
  expect([entry.bytesDropped, entry.pktsDropped]).toEqual([1n, 2n]);
});

test('S-016 S-165 S-166 S-168 what does not fit a datagram goes block-wise with ETag and total size, and is whole', async () => {
  const alice = await world.connect(ALICE);
  for (let mid = 1; mid <= 60; mid++)
    await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
  const before = alice.datagrams().length;
  const answer = await alice.answerTo('get', mitigation());
  expect(entriesOf(answer)).toHaveLength(60);
  const blocks = alice.datagrams().slice(before);
  expect(blocks.length).toBeGreaterThan(1);
  const [first] = blocks;
  if (first === undefined) throw new Error('no block');
  expect(optionOf(first, OPTION.block2)).toBe(0b1110);
  expect(optionOf(first, OPTION.size2)).toBe(answer.payload.length);
  expect(first.options.some(({ number }) => number === OPTION.etag)).toBe(true);
  for (const bytes of alice.pair.fromServer) expect(bytes.length).toBeLessThanOrEqual(1152);
});

test('S-345 no answer ever has attack-status', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const update = scopeBody('192.0.2.1/32', { attackStatus: 'underAttack' });
  expect(codeOf(await alice.ask('put', mitigation(1), { payload: update }))).toBe('2.04');
  const answer = await alice.answerTo('get', mitigation(1));
  expect(hexOf(answer)).not.toContain('181d');
});

test('S-164 a client that asks for blocks of 64 bytes is sent none larger', async () => {
  const alice = await world.connect(ALICE);
  for (let mid = 1; mid <= 3; mid++)
    await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
  const before = alice.datagrams().length;
  const inBlocksOf64 = makeUintOption(OPTION.block2, 2);
  const answer = await alice.answerTo('get', mitigation(), { options: [inBlocksOf64] });
  expect(entriesOf(answer)).toHaveLength(3);
  const blocks = alice.datagrams().slice(before);
  const numbers = blocks.map((block) => (optionOf(block, OPTION.block2) ?? NaN) >> 4);
  expect(numbers).toEqual(blocks.map((_, index) => index));
  expect(blocks.length).toBe(Math.ceil(answer.payload.length / 64));
  for (const { payload } of blocks) expect(payload.length).toBeLessThanOrEqual(64);
});
