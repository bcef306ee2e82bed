/** RFC 9132 §4.4 at the server: requests in, answers out, over real endpoints, real decisions and a real store. */
import { OPTION } from '#core/coap/option-number.ts';
import { decodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';
import { fromHex } from '#test/support/hex.ts';
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
import { ALICE, BOB, GATEWAY, SignalWorld, STRANGER } from '#test/support/signal-world.ts';

const FIGURE_7 = fromHex(
  'a101a10281a4068274323030313a6462383a363430313a3a312f31323874323030313a6462383a363430313a3a322f3132380783a1081850a1081901bba108191f900a81060e190e10',
);
const FIGURE_16 = fromHex(
  'a101a10281a4068274323030313a6462383a363430313a3a312f31323874323030313a6462383a363430313a3a322f3132380783a1081850a1081901bba108191f900a8106181d01',
);
const IF_MATCH = { number: OPTION.ifMatch, value: new Uint8Array(0) };

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

describe('PUT', () => {
  test('P-036 S-119 S-122 S-126 Figure 7 is created once, refreshed the second time; the answer has mid and lifetime alone', async () => {
    const alice = await world.connect(ALICE);
    const first = await alice.answerTo('put', mitigation(123), { payload: FIGURE_7 });
    expect([codeOf(first), hexOf(first)]).toEqual(['2.01', 'a101a10281a205187b0e190e10']);
    expect(optionOf(first, OPTION.contentFormat)).toBe(271);
    const second = await alice.answerTo('put', mitigation(123), { payload: FIGURE_7 });
    expect(codeOf(second)).toBe('2.04');
    expect(entriesOf(await alice.answerTo('get', mitigation()))).toHaveLength(1);
  });

  test('S-036 PUT requests, GET lists, DELETE withdraws', async () => {
    const alice = await world.connect(ALICE);
    const codes = [
      await alice.ask('put', mitigation(1), { payload: scopeBody() }),
      await alice.ask('get', mitigation(1)),
      await alice.ask('delete', mitigation(1)),
    ].map(codeOf);
    expect(codes).toEqual(['2.01', '2.05', '2.02']);
  });

  test('S-037 NON is answered by NON; a Confirmable request by an ACK that carries the answer', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    await alice.ask('get', mitigation(1), { confirmable: true });
    expect(alice.datagrams().map(({ type }) => type)).toEqual([1, 2]);
  });

  test('S-003 the same request is answered alike over TCP', async () => {
    const [udp, tcp] = [await world.connect(ALICE), await world.connect(ALICE, { transport: 'tcp' })];
    await udp.ask('put', mitigation(1), { payload: scopeBody() });
    const overUdp = await udp.answerTo('get', mitigation(1));
    expect(hexOf(await tcp.answerTo('get', mitigation(1)))).toBe(hexOf(overUdp));
  });

  test('S-018 the keys are those of RFC 8782 Table 5: a request of its implementations is 2.01, its answer in the same keys', async () => {
    const alice = await world.connect(ALICE);
    const lifetime = [0x0e, 0x19, 0x0e, 0x10];
    const prefix = [0x06, 0x81, 0x6c, ...new TextEncoder().encode('192.0.2.1/32')];
    const payload = Uint8Array.of(0xa1, 0x01, 0xa1, 0x02, 0x81, 0xa2, ...prefix, ...lifetime);
    const answer = await alice.answerTo('put', mitigation(1), { payload });
    expect([codeOf(answer), hexOf(answer)]).toEqual(['2.01', 'a101a10281a205010e190e10']);
  });

  test('S-397 what is replayed after a newer request, and overlaps with it, is 4.09; a lower sid is 4.00', async () => {
    const alice = await world.connect(ALICE);
    const older = { payload: scopeBody('192.0.2.0/24') };
    await alice.ask('put', mitigation(1), older);
    await alice.ask('put', mitigation(2), { payload: scopeBody('192.0.2.0/25') });
    expect(codeOf(await alice.ask('put', mitigation(1), older))).toBe('4.09');
    expect(entriesOf(await alice.answerTo('get', mitigation())).map(({ mid }) => mid)).toEqual([2]);
    const config = { payload: fromHex('a1181ea1182ca11821a11824183c'), confirmable: true };
    await alice.ask('put', 'config/sid=1', config);
    await alice.ask('put', 'config/sid=2', config);
    expect(codeOf(await alice.ask('put', 'config/sid=1', config))).toBe('4.00');
  });

  test("S-057 another client's cuid is 4.09 with the bytes of Figure 11, and nothing of the first changes", async () => {
    const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    const before = await world.stored(CUID, 1);
    const answer = await bob.answerTo('put', mitigation(1), { payload: scopeBody('198.51.100.1/32') });
    expect([codeOf(answer), hexOf(answer)]).toEqual(['4.09', 'a101a10281a111a11303']);
    expect(await world.stored(CUID, 1)).toEqual(before);
  });

  test('S-431 nor does it change when the other client is of another domain', async () => {
    const [alice, stranger] = [await world.connect(ALICE), await world.connect(STRANGER)];
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    const before = await world.stored(CUID, 1);
    const put = await stranger.answerTo('put', mitigation(1), { payload: scopeBody('203.0.113.1/32') });
    expect(codeOf(put)).toBe('4.09');
    expect(codeOf(await stranger.ask('delete', mitigation(1)))).toBe('2.02');
    expect(await world.stored(CUID, 1)).toEqual(before);
  });

  test('S-045 S-075 S-435 a prefix of others refuses the whole request, diagnosed in text', async () => {
    const alice = await world.connect(ALICE);
    const answer = await alice.answerTo('put', mitigation(1), {
      payload: scopeBody(['192.0.2.1/32', '203.0.113.1/32']),
    });
    expect(codeOf(answer)).toBe('4.00');
    expect(textOf(answer)).toContain('203.0.113.1/32');
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
  });

  test('S-107 cdid of a peer that is no gateway is ignored wherever it stands', async () => {
    const alice = await world.connect(ALICE);
    const path = `mitigate/cuid=${CUID}/cdid=zzz/mid=1`;
    expect(codeOf(await alice.ask('put', path, { payload: scopeBody() }))).toBe('2.01');
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
    expect((await world.stored(CUID, 1)).cdid).toBeUndefined();
  });

  test('S-109 S-110 S-111 a trusted gateway supplies one cdid before cuid, and it is part of who asks', async () => {
    const gateway = await world.connect(GATEWAY);
    const path = `mitigate/cdid=home/cuid=${CUID}/mid=1`;
    expect(codeOf(await gateway.ask('put', path, { payload: scopeBody() }))).toBe('2.01');
    expect((await world.stored(CUID, 1)).cdid).toBe('home');
    expect(codeOf(await gateway.ask('get', path))).toBe('2.05');
    expect(codeOf(await gateway.ask('get', `mitigate/cdid=other/cuid=${CUID}/mid=1`))).toBe('4.04');
    expect(codeOf(await gateway.ask('get', `mitigate/cuid=${CUID}/cdid=home/mid=1`))).toBe('4.00');
    expect(codeOf(await gateway.ask('get', `mitigate/cdid=a/cdid=b/cuid=${CUID}/mid=1`))).toBe('4.00');
  });

  test('S-125 lifetime 0 is 4.00 for a new mid and for an existing one, which it does not end', async () => {
    const alice = await world.connect(ALICE);
    const zero = fromHex('a101a10281a206816c3139322e302e322e312f33320e00');
    expect(codeOf(await alice.ask('put', mitigation(1), { payload: zero }))).toBe('4.00');
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    expect(codeOf(await alice.ask('put', mitigation(1), { payload: zero }))).toBe('4.00');
    expect(entryOf(await alice.answerTo('get', mitigation(1))).lifetimeSeconds).toBe(3600);
  });
});

describe('efficacy update', () => {
  test('P-098 S-220 S-223 S-224 S-226 Figure 16 refreshes an existing mitigation; its attack-status is never told', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(123), { payload: FIGURE_7 });
    await world.advance(100);
    const answer = await alice.ask('put', mitigation(123), { payload: FIGURE_16, options: [IF_MATCH] });
    expect(codeOf(answer)).toBe('2.04');
    const shown = await alice.answerTo('get', mitigation(123));
    expect(entryOf(shown).lifetimeSeconds).toBe(3600);
    expect(hexOf(shown)).not.toContain('181d');
  });

  test('P-097 S-221 with If-Match and no such mid there is silence over NON and TCP, and an empty ACK over CON', async () => {
    const alice = await world.connect(ALICE);
    const update = { payload: FIGURE_16, options: [IF_MATCH] };
    expect(await alice.ask('put', mitigation(9), update)).toBeUndefined();
    await world.advance(10);
    expect(alice.datagrams()).toEqual([]);
    expect(await alice.ask('put', mitigation(9), { ...update, confirmable: true })).toBeUndefined();
    expect(alice.datagrams().map(({ type, code }) => [type, code])).toEqual([[2, 0]]);
    const tcp = await world.connect(ALICE, { transport: 'tcp' });
    expect(await tcp.ask('put', mitigation(9), update)).toBeUndefined();
    expect(codeOf(await alice.ask('get', mitigation(9)))).toBe('4.04');
  });

  test('S-222 attack-status without If-Match updates a known mid and is 4.00 for an unknown one', async () => {
    const alice = await world.connect(ALICE);
    expect(codeOf(await alice.ask('put', mitigation(123), { payload: FIGURE_16 }))).toBe('4.00');
    await alice.ask('put', mitigation(123), { payload: FIGURE_7 });
    expect(codeOf(await alice.ask('put', mitigation(123), { payload: FIGURE_16 }))).toBe('2.04');
  });

  test('If-Match without attack-status is no efficacy update, and one with a value cannot be met', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(123), { payload: FIGURE_7 });
    const plain = await alice.ask('put', mitigation(123), { payload: FIGURE_7, options: [IF_MATCH] });
    expect(codeOf(plain)).toBe('4.00');
    const valued = { number: OPTION.ifMatch, value: Uint8Array.of(1) };
    const tagged = await alice.ask('put', mitigation(123), { payload: FIGURE_16, options: [valued] });
    expect(codeOf(tagged)).toBe('4.02');
  });
});

describe('DELETE', () => {
  test('S-231 S-232 2.02 without payload or format, also for what is not there', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    for (const mid of [1, 999]) {
      const answer = await alice.answerTo('delete', mitigation(mid));
      expect([codeOf(answer), answer.payload.length, answer.options]).toEqual(['2.02', 0, []]);
    }
  });

  test('S-230 without cuid or mid nothing is deleted', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    expect(codeOf(await alice.ask('delete', 'mitigate'))).toBe('4.00');
    expect(codeOf(await alice.ask('delete', mitigation()))).toBe('4.00');
    expect(entryOf(await alice.answerTo('get', mitigation(1))).status).toBe('inProgress');
  });

  test('S-234 S-235 S-237 status 5 for 120 seconds, its lifetime running down, then 4.04', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    await alice.ask('delete', mitigation(1));
    await world.advance(20);
    expect(entryOf(await alice.answerTo('get', mitigation(1)))).toMatchObject({
      status: 'activeButTerminating',
      lifetimeSeconds: 100,
    });
    await world.advance(101);
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
  });

  test("S-431 another's mid is answered 2.02 and stays", async () => {
    const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    expect(codeOf(await bob.ask('delete', mitigation(1)))).toBe('2.02');
    expect((await world.stored(CUID, 1)).status).toBe('inProgress');
  });
});

describe('sessions', () => {
  test('S-396 a client is known by its credential, whatever address it comes from; its address is nobody', async () => {
    const home = await world.connect(ALICE, { address: '198.51.100.7' });
    await home.ask('put', mitigation(1), { payload: scopeBody() });
    const abroad = await world.connect(ALICE, { address: '203.0.113.99' });
    expect(codeOf(await abroad.ask('get', mitigation(1)))).toBe('2.05');
    const bob = await world.connect(BOB, { address: '198.51.100.7' });
    expect(codeOf(await bob.ask('get', mitigation(1)))).toBe('4.04');
    expect(codeOf(await abroad.ask('delete', mitigation(1)))).toBe('2.02');
    expect((await world.stored(CUID, 1)).status).toBe('activeButTerminating');
  });

  test('A-082 two sessions of one client at once: each sees what the other asked for', async () => {
    const [one, two] = [await world.connect(ALICE), await world.connect(ALICE)];
    const answers = await Promise.all([
      one.ask('put', mitigation(1), { payload: scopeBody('192.0.2.1/32') }),
      two.ask('put', mitigation(2), { payload: scopeBody('192.0.2.2/32') }),
    ]);
    expect(answers.map(codeOf)).toEqual(['2.01', '2.01']);
    for (const session of [one, two])
      expect(entriesOf(await session.answerTo('get', mitigation())).map(({ mid }) => mid)).toEqual([1, 2]);
  });
});

test('S-147 S-351 a conflict with another client tells what both want, and no mid', async () => {
  await world.close();
  world = await SignalWorld.open({ policy: { conflictPolicy: 'reject-new' } });
  const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
  await alice.ask('put', mitigation(77), { payload: scopeBody() });
  const answer = await bob.answerTo('put', mitigation(1, 'bobbobbobbobbobbobbobb'), { payload: scopeBody() });
  expect(codeOf(answer)).toBe('4.09');
  const told = decodeMitigationAnswer(answer.payload);
  expect(told.ok && told.value.conflict?.scope).toEqual({ targetPrefixes: ['192.0.2.1/32'] });
  expect(hexOf(answer)).not.toContain('184d');
});

test('S-439 a client whose cuid is not of its key is told to the operators, once a session; a gateway’s clients are not', async () => {
  const told = () => world.events.filter(({ event }) => event === 'cuid-not-derived');
  const [alice, gateway] = [await world.connect(ALICE), await world.connect(GATEWAY)];
  const derived = mitigation(1, ALICE.slice(0, 22));
  expect(codeOf(await alice.ask('put', derived, { payload: scopeBody() }))).toBe('2.01');
  await gateway.ask('put', `mitigate/cdid=home/cuid=other/mid=1`, { payload: scopeBody('192.0.2.9/32') });
  expect(told()).toEqual([]);
  for (const mid of [2, 3]) {
    const payload = scopeBody(`192.0.2.${mid}/32`);
    expect(codeOf(await alice.ask('put', mitigation(mid), { payload }))).toBe('2.01');
  }
  expect(told()).toEqual([{ event: 'cuid-not-derived', session: 1, identityId: ALICE }]);
});
