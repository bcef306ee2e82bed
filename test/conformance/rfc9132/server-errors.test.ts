/** RFC 9132 §9, §11 and §3 at the server: who is refused, with what, and what a refusal leaves unchanged. */
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import { fromHex } from '#test/support/hex.ts';
import {
  CUID,
  codeOf,
  maxAgeOf,
  mitigation,
  optionOf,
  scopeBody,
  textOf,
} from '#test/support/signal-asks.ts';
import { ALICE, BOB, REVOKED, SignalWorld, UNKNOWN } from '#test/support/signal-world.ts';

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

const diagnosed = (response: Response): [string, boolean, number | undefined] => [
  codeOf(response),
  textOf(response).length > 0,
  optionOf(response, OPTION.contentFormat),
];

describe('paths and methods', () => {
  test('S-021 S-022 only .well-known/dots/{mitigate,config,hb} is there', async () => {
    const alice = await world.connect(ALICE);
    for (const path of ['foo', 'mitigate2', ''])
      expect(diagnosed(await alice.answerTo('get', path))).toEqual(['4.04', true, undefined]);
  });

  test('S-010 S-413 methods that a resource has not are 4.05', async () => {
    const alice = await world.connect(ALICE);
    const wrong = [
      ['post', mitigation(1)],
      ['fetch', mitigation(1)],
      ['patch', 'config'],
      ['ipatch', mitigation(1)],
      ['post', 'config/sid=1'],
      ['get', 'hb'],
      ['delete', 'hb'],
    ] as const;
    for (const [method, path] of wrong)
      expect(diagnosed(await alice.answerTo(method, path))).toEqual(['4.05', true, undefined]);
  });

  test('S-062 S-068 parameters that are missing, repeated or foreign are 4.00, and no record is made', async () => {
    const alice = await world.connect(ALICE);
    const paths = [
      'mitigate/mid=1',
      mitigation(),
      `mitigate/cuid=${CUID}/cuid=${CUID}/mid=1`,
      `mitigate/cuid=${CUID}/mid=1/mid=2`,
      `mitigate/cuid=${CUID}/mid=1/sid=1`,
      `mitigate/cuid=${CUID}/mid=1/foo=1`,
      `mitigate/mid=1/cuid=${CUID}`,
      `mitigate/cuid=${CUID}/mid=01`,
      `mitigate/cuid=${CUID}/mid=4294967296`,
    ];
    for (const path of paths) {
      const answer = await alice.answerTo('put', path, { payload: scopeBody() });
      expect([path, ...diagnosed(answer)]).toEqual([path, '4.00', true, undefined]);
    }
    expect(codeOf(await alice.ask('get', mitigation()))).toBe('4.04');
  });

  test('unknown queries are ignored', async () => {
    const alice = await world.connect(ALICE);
    const put = await alice.ask('put', mitigation(1), { payload: scopeBody(), query: 'x=y' });
    expect(codeOf(put)).toBe('2.01');
  });
});

describe('bodies', () => {
  test.each([
    ['S-123 no scope', 'a101a10280'],
    [
      'S-123 two scopes',
      'a101a10282a206816c3139322e302e322e312f33320e0aa206816c3139322e302e322e322f33320e0a',
    ],
    ['S-123 no lifetime', 'a101a10281a106816c3139322e302e322e312f3332'],
    ['S-123 no target', 'a101a10281a10e0a'],
    ['S-371 an unknown comprehension-required key', 'a101a10281a306816c3139322e302e322e312f33320e0a183cf5'],
    ['S-343 two messages in one', 'a201a10281a206816c3139322e302e322e312f33320e0a181ea0'],
    ['S-343 a message of another resource', 'a11831a11833f5'],
    ['S-344 status in a request', 'a101a10281a306816c3139322e302e322e312f33320e0a1002'],
    ['a duplicate key', 'a101a10281a306816c3139322e302e322e312f33320e0a0e0b'],
    ['trailing bytes', 'a101a10281a206816c3139322e302e322e312f33320e0a00'],
    ['cut short', 'a101a10281a206816c'],
    ['nothing', ''],
    ['not CBOR', 'ffffffff'],
  ])('S-409 %s is 4.00 with a diagnostic, and nothing is stored', async (_, hex) => {
    const alice = await world.connect(ALICE);
    const answer = await alice.answerTo('put', mitigation(1), { payload: fromHex(hex) });
    expect(diagnosed(answer)).toEqual(['4.00', true, undefined]);
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
  });

  test('S-371 the diagnostic names the unknown key', async () => {
    const alice = await world.connect(ALICE);
    const payload = fromHex('a101a10281a306816c3139322e302e322e312f33320e0a183cf5');
    expect(textOf(await alice.answerTo('put', mitigation(1), { payload }))).toContain('60');
  });

  test('S-417 another Content-Format is 4.15, a missing one is accepted', async () => {
    const alice = await world.connect(ALICE);
    const put = (format: number) =>
      alice.answerTo('put', mitigation(1), {
        payload: scopeBody(),
        options: [makeUintOption(OPTION.contentFormat, format)],
      });
    for (const format of [60, 50]) expect(diagnosed(await put(format))).toEqual(['4.15', true, undefined]);
    expect(codeOf(await put(271))).toBe('2.01');
  });

  test('S-411 an unknown critical option is 4.02 over CON and TCP, rejected over NON; an elective one is ignored', async () => {
    const alice = await world.connect(ALICE);
    const tcp = await world.connect(ALICE, { transport: 'tcp' });
    const critical = { payload: scopeBody(), options: [{ number: 65_001, value: new Uint8Array(0) }] };
    expect(codeOf(await alice.ask('put', mitigation(1), { ...critical, confirmable: true }))).toBe('4.02');
    expect(codeOf(await tcp.ask('put', mitigation(1), critical))).toBe('4.02');
    expect(await alice.ask('put', mitigation(1), critical)).toBeUndefined();
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('4.04');
    const elective = { payload: scopeBody(), options: [{ number: 65_000, value: new Uint8Array(0) }] };
    expect(codeOf(await alice.ask('put', mitigation(1), elective))).toBe('2.01');
  });

  test('S-012 S-408 every error carries text without Content-Format, but 4.09, which is CBOR', async () => {
    const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    const conflict = await bob.answerTo('put', mitigation(1), { payload: scopeBody('192.0.2.9/32') });
    expect([codeOf(conflict), optionOf(conflict, OPTION.contentFormat)]).toEqual(['4.09', 271]);
    const refused = await alice.answerTo('put', mitigation(2), { payload: scopeBody('203.0.113.1/32') });
    expect(diagnosed(refused)).toEqual(['4.00', true, undefined]);
    expect(textOf(refused)).not.toMatch(/other|ALICE|AAAA/);
  });
});

describe('who may signal', () => {
  test.each([
    ['unknown', UNKNOWN],
    ['revoked', REVOKED],
  ])(
    'A-003 S-410 an authenticated peer that is %s is told 4.01 for everything, then its session ends',
    async (_, identity) => {
      const peer = await world.connect(identity);
      expect(diagnosed(await peer.answerTo('get', 'config'))).toEqual(['4.01', true, undefined]);
      expect(codeOf(await peer.ask('put', mitigation(1), { payload: scopeBody() }))).toBe('4.01');
      await world.advance(31);
      expect(peer.closed).toBe('peer-closed');
      expect(peer.heartbeats).toEqual([]);
    },
  );

  test('requests that come before the authorizer has answered wait for it', async () => {
    await world.close();
    let admit: () => void = () => undefined;
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    world = await SignalWorld.open({
      intercept: (functions) => ({
        ...functions,
        authorize: (request) => admitted.then(() => functions.authorize(request)),
      }),
      trackFunctions: false,
    });
    const alice = await world.connect(ALICE);
    const exchange = alice.send('put', mitigation(1), { payload: scopeBody() });
    await world.settle();
    expect(alice.told(exchange)).toEqual([]);
    admit();
    await world.settle();
    expect(codeOf(alice.told(exchange)[0]?.response)).toBe('2.01');
  });

  test('an authorizer that fails is 5.03 with Max-Age, and asked again', async () => {
    await world.close();
    let failing = true;
    world = await SignalWorld.open({
      intercept: (functions) => ({
        ...functions,
        authorize: (request) =>
          failing ? Promise.reject(new Error('timeout')) : functions.authorize(request),
      }),
    });
    const alice = await world.connect(ALICE);
    const exchange = alice.send('get', 'config');
    await world.advance(6);
    const answer = alice.told(exchange)[0]?.response;
    expect(codeOf(answer)).toBe('5.03');
    expect(answer && maxAgeOf(answer)).toBeGreaterThan(0);
    failing = false;
    await world.advance(6);
    expect(codeOf(await alice.ask('get', 'config'))).toBe('2.05');
    expect(world.events.filter(({ event }) => event === 'authorization-failed').length).toBeGreaterThan(0);
  });

  test('a revocation ends the session within five minutes', async () => {
    const alice = await world.connect(ALICE);
    const identity = await world.store.identity(ALICE);
    if (identity === undefined) throw new Error('not registered');
    await world.store.putIdentity({ ...identity, status: 'revoked' });
    await world.advance(301);
    expect(alice.closed).toBe('peer-closed');
  });

  test('a session ends with the certificate it was opened with', async () => {
    const alice = await world.connect(ALICE, { notAfter: world.wall + 60 });
    await world.advance(58);
    expect(alice.closed).toBeUndefined();
    await world.advance(3);
    expect(alice.closed).toBe('peer-closed');
  });
});

describe('when a function fails', () => {
  test('S-121 every command of the batch is 5.03 with Max-Age, and the next one works', async () => {
    await world.close();
    let failing = true;
    world = await SignalWorld.open({
      intercept: (functions) => ({
        ...functions,
        requestMitigation: (event) =>
          failing ? Promise.reject(new Error('throttled')) : functions.requestMitigation(event),
      }),
    });
    const alice = await world.connect(ALICE);
    const exchanges = [1, 2, 3].map((mid) =>
      alice.send('put', mitigation(mid), { payload: scopeBody(`192.0.2.${mid}/32`) }),
    );
    await world.settle();
    for (const exchange of exchanges) {
      const answer = alice.told(exchange)[0]?.response;
      expect(codeOf(answer)).toBe('5.03');
      expect(answer && maxAgeOf(answer)).toBeGreaterThan(0);
    }
    expect(JSON.stringify(world.events)).toContain('throttled');
    failing = false;
    expect(codeOf(await alice.ask('put', mitigation(1), { payload: scopeBody() }))).toBe('2.01');
  });

  test('a store that cannot be read is 5.03 for GET, and the session lives', async () => {
    const alice = await world.connect(ALICE);
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    const watched = world.store.watched.bind(world.store);
    world.store.watched = () => Promise.reject(new Error('disk'));
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('5.03');
    world.store.watched = watched;
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
  });
});

describe('limits', () => {
  const limited = { rateLimit: { requestsPerSecond: 1, burst: 10 } };

  test('P-045 S-432 S-127 one identity is limited whatever cuid it uses, by 4.29 with Max-Age; others are not', async () => {
    await world.close();
    world = await SignalWorld.open({ settings: limited });
    const [alice, second, bob] = [
      await world.connect(ALICE),
      await world.connect(ALICE),
      await world.connect(BOB),
    ];
    const codes: string[] = [];
    for (let count = 0; count < 20; count++) {
      const path = mitigation(count, `cuid-of-alice-${count}`);
      const answer = await (count % 2 === 0 ? alice : second).answerTo('get', path);
      codes.push(codeOf(answer));
      if (codeOf(answer) === '4.29') expect(maxAgeOf(answer)).toBeGreaterThan(0);
    }
    expect(codes.filter((code) => code === '4.04')).toHaveLength(10);
    expect(codes.slice(10)).toEqual(new Array(10).fill('4.29'));
    expect(codeOf(await bob.ask('get', mitigation()))).toBe('4.04');
    await world.advance(2);
    expect(codeOf(await alice.ask('get', mitigation()))).toBe('4.04');
  });

  test('S-432 loopback is exempt, and heartbeats are no requests', async () => {
    await world.close();
    world = await SignalWorld.open({ settings: limited });
    const local = await world.connect(ALICE, { address: '127.0.0.1' });
    const far = await world.connect(BOB);
    for (let count = 0; count < 30; count++) {
      expect(codeOf(await local.ask('get', mitigation()))).toBe('4.04');
      expect(codeOf(await far.ask('put', 'hb', { payload: fromHex('a11831a11833f5') }))).toBe('2.04');
    }
  });

  test('the oldest session gives way when an identity opens more than it may', async () => {
    await world.close();
    world = await SignalWorld.open({ settings: { maxSessionsPerIdentity: 2 } });
    const sessions = [
      await world.connect(ALICE),
      await world.connect(ALICE),
      await world.connect(ALICE),
      await world.connect(BOB),
    ];
    expect(sessions.map(({ closed }) => closed)).toEqual(['peer-closed', undefined, undefined, undefined]);
  });

  test('S-101 the limit of mitigations is of the domain: its other client is refused the next', async () => {
    await world.close();
    world = await SignalWorld.open({ policy: { maxMitigations: 2 } });
    const [alice, bob] = [await world.connect(ALICE), await world.connect(BOB)];
    for (const mid of [1, 2]) {
      const payload = scopeBody(`192.0.2.${mid}/32`);
      expect(codeOf(await alice.ask('put', mitigation(mid), { payload }))).toBe('2.01');
    }
    const [path, payload] = [mitigation(1, 'bobbobbobbobbobbobbobb'), scopeBody('192.0.2.3/32')];
    expect(codeOf(await bob.ask('put', path, { payload }))).toMatch(/^(4\.29|5\.03)$/);
    await alice.ask('delete', mitigation(2));
    await world.advance(121);
    expect(codeOf(await bob.ask('put', path, { payload }))).toBe('2.01');
  });

  test('S-127 a domain at its limit of mitigations refuses the next and keeps the first', async () => {
    await world.close();
    world = await SignalWorld.open({ policy: { maxMitigations: 1 } });
    const alice = await world.connect(ALICE);
    expect(codeOf(await alice.ask('put', mitigation(1), { payload: scopeBody() }))).toBe('2.01');
    const refused = await alice.answerTo('put', mitigation(2), { payload: scopeBody('192.0.2.2/32') });
    expect(codeOf(refused)).toMatch(/^(4\.29|5\.03)$/);
    expect(maxAgeOf(refused)).toBeGreaterThan(0);
    expect(codeOf(await alice.ask('get', mitigation(1)))).toBe('2.05');
  });
});

test('logs have one line per change of state, and no key, cuid or body of a request', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await world.advance(120);
  alice.leave();
  await world.settle();
  expect(world.events.map(({ event }) => event)).toEqual([
    'session-opened',
    'cuid-not-derived',
    'session-state',
    'session-closed',
  ]);
  expect(JSON.stringify(world.events)).not.toContain(CUID);
});

test('a server that stops answers what it was asked, then says goodbye', async () => {
  await world.close();
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  world = await SignalWorld.open({
    intercept: (functions) => ({
      ...functions,
      requestMitigation: (event) => decided.then(() => functions.requestMitigation(event)),
    }),
    trackFunctions: false,
  });
  const alice = await world.connect(ALICE);
  const exchange = alice.send('put', mitigation(1), { payload: scopeBody() });
  await world.settle();
  const closing = world.server.close();
  decide();
  await closing;
  await world.settle();
  expect(codeOf(alice.told(exchange)[0]?.response)).toBe('2.01');
  expect(alice.closed).toBe('peer-closed');
});
