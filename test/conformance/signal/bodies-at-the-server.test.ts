/** RFC 9132 §3, §4.4.1.1, §6, §9 and §10 at a server: bodies and options that a peer may send, and the codes they get. */

import { utf8Decode } from '#core/base/bytes.ts';
import type { CborMap, CborValue } from '#core/cbor/cbor-value.ts';
import { decodeCbor, encodeCbor } from '#core/cbor/codec.ts';
import { RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, optionValues, uintOption } from '#core/coap/options.ts';
import { KEY, type KeyName } from '#core/signal/keys.ts';
import { fromHex } from '#test/support/hex.ts';
import { CUID, codeOf, entryOf, hexOf, mitigation, scopeBody, textOf } from '#test/support/signal-asks.ts';
import type { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, BOB, SignalWorld, STRANGER, UNKNOWN } from '#test/support/signal-world.ts';

type Fields = Partial<Record<KeyName, CborValue>>;

const map = (fields: Fields): CborMap =>
  new Map(Object.entries(fields).map(([name, value]) => [KEY[name as KeyName], value]));
const GOOD: Fields = { 'target-prefix': ['192.0.2.1/32'], lifetime: 3600 };
const bodyOf = (...scope: readonly CborValue[]): Uint8Array =>
  encodeCbor(map({ 'mitigation-scope': map({ scope }) }));
const changed = (changes: Fields): Uint8Array => bodyOf(map({ ...GOOD, ...changes }));
const withKey = (key: number, value: CborValue): Uint8Array =>
  bodyOf(new Map<number, CborValue>([...(map(GOOD) as Map<number, CborValue>), [key, value]]));
const ports = (lower: number | undefined, upper?: number): CborValue => [
  new Map([
    ...(lower === undefined ? [] : [[KEY['lower-port'], lower] as const]),
    ...(upper === undefined ? [] : [[KEY['upper-port'], upper] as const]),
  ]),
];

let world: SignalWorld;
let alice: SignalClient;
beforeEach(async () => {
  world = await SignalWorld.open();
  alice = await world.connect(ALICE);
});
afterEach(() => world.close());

let lastMid = 0;
/** The code of a PUT of this body under a mid of its own. */
const put = async (payload: Uint8Array): Promise<string> =>
  codeOf(await alice.answerTo('put', mitigation(++lastMid), { payload }));

const isDiagnostic = (response: Response): boolean =>
  /\S/.test(utf8Decode(response.payload) ?? '') &&
  uintOption(response.options, OPTION.contentFormat) === undefined;

test('S-073 prefixes', async () => {
  for (const prefix of ['192.0.2.0/33', '2001:db8::/129', '192.0.2.1', 'foo'])
    expect([prefix, await put(changed({ 'target-prefix': [prefix] }))]).toEqual([prefix, '4.00']);
  expect(await put(changed({ 'target-prefix': ['192.0.2.0/24'] }))).toBe('2.01');
});

test('S-077 port ranges', async () => {
  for (const range of [ports(10, 9), ports(undefined, 9), ports(65536)])
    expect(await put(changed({ 'target-port-range': range }))).toBe('4.00');
  expect(await put(changed({ 'target-port-range': ports(0, 65535) }))).toBe('2.01');
});

test('S-080 protocols', async () => {
  for (const protocol of [256, -1])
    expect(await put(changed({ 'target-protocol': [protocol] }))).toBe('4.00');
  for (const protocol of [0, 255]) expect(await put(changed({ 'target-protocol': [protocol] }))).toBe('2.01');
  expect(await put(changed({}))).toBe('2.01');
  expect((await world.stored(CUID, lastMid)).targets).toEqual([
    { prefix: '192.0.2.1/32', protocols: [], portRanges: [] },
  ]);
});

test('S-098 empty values', async () => {
  const payload = scopeBody();
  expect(codeOf(await alice.ask('put', 'mitigate/cuid=/mid=1', { payload }))).toBe('4.00');
  expect(codeOf(await alice.ask('put', `mitigate/cuid=${CUID}/mid=`, { payload }))).toBe('4.00');
  for (const empty of [{ 'target-prefix': [] }, { 'target-fqdn': [''] }, { 'alias-name': [''] }])
    expect(await put(changed(empty))).toBe('4.00');
});

test('S-012 S-123 S-409 what is invalid is 4.00 with a diagnostic, and changes nothing', async () => {
  const wrong = [
    bodyOf(map({ 'target-prefix': ['192.0.2.1/32'] })),
    bodyOf(map(GOOD), map(GOOD)),
    changed({ mid: 1 }),
    withKey(60, 1),
    new Uint8Array(0),
  ];
  for (const payload of wrong) {
    const response = await alice.answerTo('put', mitigation(9), { payload });
    expect(codeOf(response)).toBe('4.00');
    expect(isDiagnostic(response)).toBe(true);
  }
  for (const path of ['mitigate/mid=9', `mitigate/cuid=${CUID}`])
    expect(codeOf(await alice.ask('put', path, { payload: scopeBody() }))).toBe('4.00');
  expect(codeOf(await alice.ask('get', mitigation()))).toBe('4.04');
});

test('A-236 S-012 S-408 each error has a diagnostic without Content-Format, and nothing of another client', async () => {
  const bob = await world.connect(BOB);
  await bob.ask('put', mitigation(1, 'bobs-cuid'), { payload: scopeBody('198.51.100.9/32') });
  const outOfBounds = fromHex('a1181ea11820a11821a1182405');
  const errors = {
    '4.00': await alice.answerTo('put', mitigation(1), { payload: new Uint8Array(0) }),
    '4.04': await alice.answerTo('get', mitigation(1)),
    '4.05': await alice.answerTo('post', mitigation(1)),
    '4.06': await alice.answerTo('get', 'config', { options: [makeUintOption(OPTION.accept, 50)] }),
    '4.15': await alice.answerTo('put', mitigation(1), {
      payload: scopeBody(),
      options: [makeUintOption(OPTION.contentFormat, 60)],
    }),
    '4.22': await alice.answerTo('put', 'config/sid=1', { payload: outOfBounds, confirmable: true }),
  };
  for (const [code, response] of Object.entries(errors)) {
    expect(codeOf(response)).toBe(code);
    expect(isDiagnostic(response)).toBe(true);
    expect(textOf(response)).not.toMatch(/198\.51\.100\.9|bobs-cuid/);
  }
});

test('S-417 another Content-Format than 271 is 4.15', async () => {
  for (const format of [60, 50, 0]) {
    const options = [makeUintOption(OPTION.contentFormat, format)];
    expect(codeOf(await alice.ask('put', mitigation(1), { payload: scopeBody(), options }))).toBe('4.15');
  }
  expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
});

test('S-011 S-423 answers with a body have Content-Format 271, the others have neither', async () => {
  const created = await alice.answerTo('put', mitigation(1), { payload: scopeBody() });
  const answers = [
    created,
    await alice.answerTo('get', mitigation(1)),
    await alice.answerTo('get', 'config', { confirmable: true }),
  ];
  for (const { options } of answers)
    expect(optionValues(options, OPTION.contentFormat)).toEqual([Uint8Array.of(1, 15)]);
  const heartbeat = await alice.answerTo('put', 'hb', { payload: fromHex('a11831a11833f5') });
  const deleted = await alice.answerTo('delete', mitigation(1));
  expect([heartbeat, deleted].map(({ code }) => code)).toEqual([RESPONSE.changed, RESPONSE.deleted]);
  for (const response of [heartbeat, deleted]) {
    expect(response.payload).toHaveLength(0);
    expect(optionValues(response.options, OPTION.contentFormat)).toEqual([]);
  }
});

test('A-191 A-192 S-017 S-426 comprehension-required keys are 4.00, optional ones are ignored', async () => {
  for (const key of [54, 100, 127, 256, 16383])
    expect([key, await put(withKey(key, 1))]).toEqual([key, '4.00']);
  for (const key of [254, 255, 16384, 32767, 32900, 49151, 49152, 65535])
    expect([key, await put(withKey(key, 1))]).toEqual([key, '2.01']);
});

test('S-124 an ignored key is not echoed', async () => {
  expect(await put(withKey(50000, 'x'))).toBe('2.01');
  const body = decodeCbor((await alice.answerTo('get', mitigation(lastMid))).payload);
  const scope = body.ok ? ((body.value as CborMap).get(1) as CborMap).get(2) : undefined;
  expect([...((scope as CborMap[])[0]?.keys() ?? [])]).not.toContain(50000);
});

test('S-019 no answer has a key of an extension', async () => {
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const body = decodeCbor((await alice.answerTo('get', mitigation(1))).payload);
  const keysOf = (value: unknown): number[] =>
    value instanceof Map
      ? [...(value as Map<number, unknown>)].flatMap(([key, entry]) => [key, ...keysOf(entry)])
      : Array.isArray(value)
        ? value.flatMap(keysOf)
        : [];
  const keys = keysOf(body.ok ? body.value : undefined);
  expect(keys.length).toBeGreaterThan(4);
  expect(keys.every((key) => key < 128)).toBe(true);
});

test('S-424 tag 271 may stand in front, and nowhere else', async () => {
  const plain = Buffer.from(scopeBody()).toString('hex');
  expect(await put(fromHex(`d9010f${plain}`))).toBe('2.01');
  expect(await put(fromHex(plain))).toBe('2.01');
  expect(await put(fromHex(plain.replace(/^a101/, 'a101d9010f')))).toBe('4.00');
  expect(hexOf(await alice.answerTo('get', mitigation(lastMid - 1)))).toMatch(/^a101/);
});

test('S-354 every entry has a status, and a request must not', async () => {
  expect(await put(changed({ status: 2 }))).toBe('4.00');
  expect(await put(changed({}))).toBe('2.01');
  expect(entryOf(await alice.answerTo('get', mitigation(lastMid))).status).toBe('inProgress');
});

test('S-410 an authenticated peer that is nobody’s client is 4.01', async () => {
  const nobody = await world.connect(UNKNOWN);
  const response = await nobody.answerTo('put', mitigation(1), { payload: scopeBody() });
  expect(codeOf(response)).toBe('4.01');
  expect(isDiagnostic(response)).toBe(true);
});

test('S-411 an unknown critical option is 4.02 when Confirmable, rejected when not; an elective one is ignored', async () => {
  const critical = { number: 65001, value: new Uint8Array(0) };
  const elective = { number: 65000, value: new Uint8Array(0) };
  const payload = scopeBody();
  expect(
    codeOf(await alice.ask('put', mitigation(1), { payload, options: [critical], confirmable: true })),
  ).toBe('4.02');
  const tcp = await world.connect(ALICE, { transport: 'tcp' });
  expect(codeOf(await tcp.ask('put', mitigation(1), { payload, options: [critical] }))).toBe('4.02');
  expect(codeOf(await alice.ask('put', mitigation(1), { payload, options: [critical] }))).toBe('silence');
  expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
  expect(codeOf(await alice.ask('put', mitigation(1), { payload, options: [elective] }))).toBe('2.01');
});

test('a target of another domain is 4.00, and the other’s mitigation stays unseen', async () => {
  const stranger = await world.connect(STRANGER);
  expect(
    codeOf(await stranger.ask('put', mitigation(1, 'strangers'), { payload: scopeBody('203.0.113.1/32') })),
  ).toBe('2.01');
  const refused = await alice.answerTo('put', mitigation(1), { payload: scopeBody('203.0.113.1/32') });
  expect(codeOf(refused)).toBe('4.00');
  expect(codeOf(await alice.ask('get', mitigation(1, 'strangers')))).toBe('4.04');
});
