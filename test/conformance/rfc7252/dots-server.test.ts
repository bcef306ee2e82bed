/** RFC 7252 §5 as the DOTS server applies it (RFC 9132 §3, §4, §9): methods, paths, options, formats, codes. */
import { makeBlock } from '#core/coap/block-option.ts';
import { METHOD } from '#core/coap/code.ts';
import type { CoapOption, Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption, sortOptions } from '#core/coap/options.ts';
import { encodeEmptyUdp, encodeUdp, type UdpMessage } from '#core/coap/udp-message.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import { ACK, bytesOf, CON, NON, RST } from '#test/support/coap-peer.ts';
import { fromHex } from '#test/support/hex.ts';
import { CUID, codeOf, mitigation, optionOf, scopeBody } from '#test/support/signal-asks.ts';
import type { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, BOB, SignalWorld, UNKNOWN } from '#test/support/signal-world.ts';

const HEARTBEAT = fromHex('a11831a11833f5');
const config = encodeConfig({ idle: { heartbeatInterval: { current: 60 } } });

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open({ settings: { rateLimit: { requestsPerSecond: 1, burst: 200 } } });
});
afterEach(() => world.close());

const pathOf = (path: string): CoapOption[] =>
  ['.well-known', 'dots', ...path.split('/')].map((segment) => makeTextOption(OPTION.uriPath, segment));

let nextId = 0x7000;

/** Sends a message that the client's own endpoint would not, and returns what the server says to it. */
async function raw(
  client: SignalClient,
  type: number,
  code: number,
  options: readonly CoapOption[],
  payload = bytesOf(),
): Promise<UdpMessage> {
  const before = client.datagrams().length;
  const message = { code, token: bytesOf(0xab), options: sortOptions(options), payload };
  client.pair.client.send(encodeUdp(type, ++nextId, message));
  await world.settle();
  const [answer] = client.datagrams().slice(before);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

describe('methods', () => {
  test('P-050 GET, PUT and DELETE done twice leave what they left the first time', async () => {
    const alice = await world.connect(ALICE);
    const ask = async (method: 'get' | 'put' | 'delete'): Promise<unknown> => {
      await alice.ask(method, mitigation(1), method === 'put' ? { payload: scopeBody() } : {});
      // The version counts commits, not changes.
      return { ...(await world.stored(CUID, 1)), sv: undefined };
    };
    for (const method of ['put', 'get', 'delete'] as const) {
      const first = await ask(method);
      expect(await ask(method)).toEqual(first);
    }
  });

  test('P-085 a method unknown to CoAP or to the resource is 4.05', async () => {
    const alice = await world.connect(ALICE);
    for (const code of [METHOD.post, METHOD.fetch, 0x09, 0x1f])
      expect((await raw(alice, NON, code, pathOf(mitigation(1)), scopeBody())).code).toBe(0x85);
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
  });

  test('P-104 heartbeats are NON PUT hb answered by empty NON 2.04, and a CoAP ping still meets its Reset', async () => {
    const alice = await world.connect(ALICE);
    const answer = await raw(alice, NON, METHOD.put, pathOf('hb'), HEARTBEAT);
    expect(answer).toMatchObject({ type: NON, code: 0x44, options: [], payload: bytesOf() });
    const before = alice.datagrams().length;
    await world.advance(31);
    const [beat, ...more] = alice.datagrams().slice(before);
    expect(more).toEqual([]);
    expect(beat).toMatchObject({ type: NON, code: METHOD.put, payload: HEARTBEAT });
    expect(beat?.options.slice(0, 3)).toEqual(pathOf('hb'));
    alice.pair.client.send(encodeEmptyUdp(CON, 99));
    await world.settle();
    expect(alice.datagrams().at(-1)).toMatchObject({ type: RST, messageId: 99 });
  });
});

describe('Uri options', () => {
  test('P-092 segments are taken as they are, and in their order', async () => {
    const alice = await world.connect(ALICE);
    const cuid = 'a_b-c_d-e_f-g_h-i_j-kA';
    const put = await alice.ask('put', mitigation(1, cuid), { payload: scopeBody() });
    expect(codeOf(put)).toBe('2.01');
    expect((await world.stored(cuid as typeof CUID, 1)).cuid).toBe(cuid);
    expect(codeOf(await alice.ask('get', mitigation(1, cuid.replace('_', '%5F'))))).toBe('4.04');
    const swapped = `mitigate/mid=1/cuid=${cuid}`;
    expect(codeOf(await alice.ask('put', swapped, { payload: scopeBody() }))).toBe('4.00');
  });

  test('P-093 the name and the port that were dialled may be said again', async () => {
    const alice = await world.connect(ALICE);
    const options = [makeTextOption(OPTION.uriHost, 'dots.test'), makeUintOption(OPTION.uriPort, 4646)];
    const put = await alice.ask('put', mitigation(1), { payload: scopeBody(), options });
    expect(codeOf(put)).toBe('2.01');
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
  });
});

describe('formats', () => {
  test('P-094 a body of another Content-Format is 4.15; without the option it is taken for what DOTS sends', async () => {
    const alice = await world.connect(ALICE);
    const put = (...formats: number[]): Promise<UdpMessage> => {
      const options = formats.map((format) => makeUintOption(OPTION.contentFormat, format));
      return raw(alice, NON, METHOD.put, [...pathOf(mitigation(1)), ...options], scopeBody());
    };
    for (const format of [60, 0]) expect((await put(format)).code).toBe(0x8f);
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
    expect((await put()).code).toBe(0x41);
  });

  test('P-095 an Accept that cannot be met is 4.06 on every resource that answers with a body', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    for (const path of [mitigation(1), mitigation(), 'config'])
      for (const [format, code] of [
        [50, '4.06'],
        [0, '4.06'],
        [271, '2.05'],
      ] as const) {
        const options = [makeUintOption(OPTION.accept, format)];
        expect([path, format, codeOf(await alice.ask('get', path, { options }))]).toEqual([
          path,
          format,
          code,
        ]);
      }
  });

  test('P-078 every success with a body is of Content-Format 271; withdrawal and heartbeats have none', async () => {
    const alice = await world.connect(ALICE);
    const asked = [
      ['put', mitigation(1), scopeBody(), '2.01'],
      ['put', mitigation(1), scopeBody(), '2.04'],
      ['get', mitigation(1), undefined, '2.05'],
      ['get', mitigation(), undefined, '2.05'],
      ['put', 'config/sid=1', config, '2.01'],
      ['put', 'config/sid=1', config, '2.04'],
      ['get', 'config', undefined, '2.05'],
      ['get', 'config/sid=1', undefined, '2.05'],
      ['delete', mitigation(1), undefined, '2.02'],
      ['delete', 'config', undefined, '2.02'],
      ['put', 'hb', HEARTBEAT, '2.04'],
    ] as const;
    const bodies: string[] = [];
    for (const [method, path, payload, code] of asked) {
      const answer = await alice.answerTo(method, path, payload === undefined ? {} : { payload });
      expect([method, path, codeOf(answer)]).toEqual([method, path, code]);
      const hasBody = answer.payload.length > 0;
      expect(optionOf(answer, OPTION.contentFormat)).toBe(hasBody ? 271 : undefined);
      if (hasBody) bodies.push(path);
    }
    expect(bodies).not.toContain('hb');
    for (const path of [mitigation(1), mitigation(), 'config', 'config/sid=1'])
      expect(bodies).toContain(path);
  });

  test.each(['c=a', 'c=n'])('P-157 a list in blocks has one ETag in every block: %s', async (query) => {
    const alice = await world.connect(ALICE);
    for (let mid = 1; mid <= 80; mid++)
      await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
    const before = alice.datagrams().length;
    expect(codeOf(await alice.answerTo('get', mitigation(), { query }))).toBe('2.05');
    const blocks = alice.datagrams().slice(before);
    expect(blocks.length).toBeGreaterThan(1);
    const etags = blocks.map(({ options }) => options.filter(({ number }) => number === OPTION.etag));
    for (const etag of etags) expect(etag).toHaveLength(1);
    expect(new Set(etags.map(([etag]) => String(etag?.value))).size).toBe(1);
  });
});

/** One refusal per code, each the way a peer meets it. */
async function refusals(): Promise<Map<string, Response>> {
  const [alice, bob, nobody] = [
    await world.connect(ALICE),
    await world.connect(BOB),
    await world.connect(UNKNOWN),
  ];
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  const path = pathOf(mitigation(2));
  const tooSlow = encodeConfig({ idle: { ackTimeout: { current: 0.5 } } });
  const seen: Response[] = [
    await alice.answerTo('put', mitigation(2), { payload: scopeBody('203.0.113.1/32') }),
    await nobody.answerTo('get', 'config'),
    await raw(alice, CON, METHOD.put, [...path, makeUintOption(65_001, 1)], scopeBody()),
    await alice.answerTo('get', mitigation(999)),
    await raw(alice, NON, METHOD.post, path, scopeBody()),
    await alice.answerTo('get', 'config', { options: [makeUintOption(OPTION.accept, 50)] }),
    await raw(
      alice,
      CON,
      METHOD.put,
      [...path, makeBlock(OPTION.block1, { number: 3, more: false, exponent: 4 })],
      bytesOf(1),
    ),
    await bob.answerTo('put', mitigation(1), { payload: scopeBody('198.51.100.1/32') }),
    await raw(
      alice,
      CON,
      METHOD.put,
      [
        ...path,
        makeBlock(OPTION.block1, { number: 0, more: true, exponent: 2 }),
        makeUintOption(OPTION.size1, 100_000),
      ],
      new Uint8Array(64),
    ),
    await raw(alice, NON, METHOD.put, [...path, makeUintOption(OPTION.contentFormat, 60)], scopeBody()),
    await alice.answerTo('put', 'config/sid=1', { payload: tooSlow, confirmable: true }),
  ];
  const watched = world.store.watched.bind(world.store);
  world.store.watched = () => Promise.reject(new Error('disk'));
  seen.push(await alice.answerTo('get', mitigation(1)));
  world.store.watched = watched;
  for (let answer = await bob.answerTo('get', mitigation()); ; answer = await bob.answerTo('get', 'config'))
    if (codeOf(answer) === '4.29') {
      seen.push(answer);
      break;
    }
  return new Map(seen.map((response) => [codeOf(response), response]));
}

describe('errors', () => {
  test('P-079 P-108 each has a diagnostic in UTF-8 without Content-Format, but 4.09, which is CBOR', async () => {
    const answers = await refusals();
    expect([...answers.keys()]).toEqual([
      '4.00',
      '4.01',
      '4.02',
      '4.04',
      '4.05',
      '4.06',
      '4.08',
      '4.09',
      '4.13',
      '4.15',
      '4.22',
      '5.03',
      '4.29',
    ]);
    for (const [code, answer] of answers) {
      const isCbor = code === '4.09';
      expect([code, optionOf(answer, OPTION.contentFormat)]).toEqual([code, isCbor ? 271 : undefined]);
      if (!isCbor) {
        const diagnostic = new TextDecoder('utf-8', { fatal: true }).decode(answer.payload);
        expect([code, /^[^\p{Cc}]{5,}$/u.test(diagnostic)]).toEqual([code, true]);
      }
    }
    expect([answers.get('4.09')?.code, answers.get('4.22')?.code]).toEqual([0x89, 0x96]);
  });

  test('P-101 no answer asks a peer to prove its address again: the handshake has', async () => {
    const alice = await world.connect(ALICE);
    for (let mid = 1; mid <= 60; mid++)
      await alice.ask('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) });
    const large = await raw(alice, NON, METHOD.get, pathOf(mitigation()));
    expect([large.code, large.payload.length]).toEqual([0x45, 1024]);
    const said = [...(await refusals()).values(), ...alice.datagrams()];
    for (const { options } of said) expect(options.some(({ number }) => number === OPTION.echo)).toBe(false);
  });

  test('P-048 values that would harm the network are 4.22, and nothing changes', async () => {
    const alice = await world.connect(ALICE);
    const shown = async () => (await alice.answerTo('get', 'config', { confirmable: true })).payload;
    const before = await shown();
    for (const values of [{ ackTimeout: { current: 0.5 } }, { ackRandomFactor: { current: 0.9 } }])
      for (const body of [{ idle: values }, { mitigating: values }]) {
        const asking = { payload: encodeConfig(body), confirmable: true };
        expect(codeOf(await alice.ask('put', 'config/sid=1', asking))).toBe('4.22');
      }
    expect(await shown()).toEqual(before);
  });
});

describe('types', () => {
  test('P-295 P-296 what is asked by NON is answered by NON, what is asked by CON in its ACK', async () => {
    const alice = await world.connect(ALICE);
    for (const [method, payload] of [['put', scopeBody()], ['get'], ['delete']] as const)
      await alice.ask(method, mitigation(1), payload === undefined ? {} : { payload });
    expect(alice.datagrams().map(({ type }) => type)).toEqual([NON, NON, NON]);
    for (const [method, payload] of [['put', config], ['get'], ['delete']] as const) {
      const asking = { confirmable: true, ...(payload === undefined ? {} : { payload }) };
      await alice.ask(method, 'config/sid=1', asking);
    }
    const answers = alice.datagrams().slice(3);
    expect(answers.map(({ type, code }) => [type, code])).toEqual([
      [ACK, 0x41],
      [ACK, 0x45],
      [ACK, 0x42],
    ]);
  });
});
