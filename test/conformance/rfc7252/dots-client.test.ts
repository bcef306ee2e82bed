/** RFC 7252 §4 and §5 as the DOTS client applies them (RFC 9132 §4): types, parameters, and what codes mean to it. */
import { mitigationOutcome, plainOutcome } from '#core/client/outcome.ts';
import {
  deleteConfig,
  deleteMitigation,
  getConfig,
  getMitigations,
  putConfig,
  putHeartbeat,
  putMitigation,
} from '#core/client/requests.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Request, Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import type { Cuid, Mid, Sid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { DEFAULT_CONFIGURATION } from '#core/session/parameters.ts';
import { DEFAULT_TRANSMISSION } from '#core/session/transmission.ts';
import { redirectResponse } from '#core/signal/error-response.ts';
import { encodeMitigationAnswer } from '#core/signal/mitigation-codec.ts';
import { ClientWorld } from '#test/support/client-world.ts';
import { CON, request, response, text, UdpPeer } from '#test/support/coap-peer.ts';
import { codeOf, mitigation, scopeBody } from '#test/support/signal-asks.ts';
import { ALICE, SignalWorld } from '#test/support/signal-world.ts';

const cuid = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
const mid = 1 as Mid;
const sid = 1 as Sid;
const put = putMitigation(cuid, mid, {
  scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.1/32'] },
  lifetimeSeconds: 3600,
  triggerMitigation: true,
});

const isHeartbeat = ({ options }: Request): boolean =>
  options.some(({ value }) => Buffer.from(value).toString() === 'hb');

/** Heartbeats are answered, everything else by `answer`. */
function answering(answer: Response | undefined, options: { transport?: 'udp' | 'tcp' } = {}): ClientWorld {
  const world = new ClientWorld(options);
  world.script = (asked) => (isHeartbeat(asked) ? response(RESPONSE.changed) : answer);
  return world;
}

const asked = (world: ClientWorld): Request[] =>
  world.arrived.map(({ request: each }) => each).filter((each) => !isHeartbeat(each));

describe('types and methods', () => {
  test.each([
    [
      'P-295 mitigate',
      [put, getMitigations(cuid), getMitigations(cuid, { mid }), deleteMitigation(cuid, mid)],
      false,
    ],
    ['P-296 config', [getConfig(), putConfig(sid, { idle: {} }), deleteConfig(sid)], true],
  ] as const)('%s: every request is of its type', async (_, requests, confirmable) => {
    const world = answering(response(RESPONSE.changed));
    for (const each of requests) {
      void world.session.request(each, 30_000);
      await world.run(4_000);
    }
    expect(asked(world).map((each) => [each.code, each.confirmable])).toEqual(
      requests.map(({ code }) => [code, confirmable]),
    );
  });

  test('P-086 P-106 PUT, GET and DELETE work at the server, and heartbeats at both ends of one session', async () => {
    const world = await SignalWorld.open();
    const alice = await world.connect(ALICE);
    const config = { payload: putConfig(sid, { idle: { heartbeatInterval: { current: 60 } } }).payload };
    const served = [
      await alice.ask('put', mitigation(1), { payload: scopeBody() }),
      await alice.ask('get', mitigation(1)),
      await alice.ask('delete', mitigation(1)),
      await alice.ask('put', 'config/sid=1', config),
      await alice.ask('get', 'config/sid=1'),
      await alice.ask('delete', 'config/sid=1'),
      await alice.ask('put', 'hb', { payload: putHeartbeat(true).payload }),
    ];
    expect(served.map(codeOf)).toEqual(['2.01', '2.05', '2.02', '2.01', '2.05', '2.02', '2.04']);
    await world.close();

    const client = answering(response(RESPONSE.created));
    const answer = client.session.request(put, 10_000);
    client.server.send(putHeartbeat(true));
    await client.run(100);
    expect(client.answers).toEqual([response(RESPONSE.changed)]);
    expect((await answer).ok).toBe(true);
  });
});

describe('parameters of a fresh session', () => {
  test('P-047 are those of DOTS: 3 retransmissions from 2 to 3 s on, a heartbeat every 30 s, of which 15 may be missed', async () => {
    const set = {
      heartbeatInterval: 30,
      missingHbAllowed: 15,
      probingRate: 5,
      maxRetransmit: 3,
      ackTimeout: 2,
      ackRandomFactor: 1.5,
    };
    expect(DEFAULT_CONFIGURATION).toEqual({ idle: set, mitigating: set });

    const world = new ClientWorld();
    const departures: number[] = [];
    const { client } = world.pair;
    client.send = (bytes) => {
      if (bytes[1] === METHOD.get) departures.push(world.nowMs);
      return true;
    };
    void world.session.request(getConfig(), 100_000);
    await world.run(17 * 30_000);
    expect(departures).toHaveLength(4);
    const [first = 0, ...later] = departures;
    for (const [index, at] of later.entries()) {
      const doubled = 2 ** (index + 1) - 1;
      expect(at - first).toBeGreaterThanOrEqual(2_000 * doubled);
      // The clock of the test moves in steps.
      expect(at - first).toBeLessThanOrEqual(3_000 * doubled + 200);
    }
    expect(world.silences).toHaveLength(1);
    const [silence = 0] = world.silences;
    expect(silence).toBeGreaterThanOrEqual(15 * 30_000);
  });

  test('P-043 a silent peer is sent 5 bytes per second', () => {
    const peer = new UdpPeer({ parameters: DEFAULT_TRANSMISSION });
    const payload = new Uint8Array(200);
    let bytes = 0;
    let largest = 0;
    for (let second = 0; second <= 7200; second += 10) {
      peer.runTo(second * 1000);
      peer.give({ type: 'send', exchange: second + 1, request: request(METHOD.put, { payload }) });
      for (const datagram of peer.datagrams()) {
        bytes += datagram.length;
        largest = Math.max(largest, datagram.length);
      }
    }
    // The first exchange, four transmissions, tells that the peer is silent.
    expect(bytes).toBeLessThanOrEqual(5 * 7200 + 4 * largest);
    expect(bytes).toBeGreaterThan(0.75 * 5 * 7200);
  });
});

describe('what a code means', () => {
  const diagnosed = (code: number, maxAge?: number): Response =>
    response(code, {
      options: maxAge === undefined ? [] : [makeUintOption(OPTION.maxAge, maxAge)],
      payload: text('no'),
    });

  /** Asks, lets two minutes pass, and returns what the client makes of the answer and how often it asked. */
  async function outcomeOf(answer: Response) {
    const world = answering(answer);
    const answered = world.session.request(put, 120_000);
    await world.run(120_000);
    const result = await answered;
    if (!result.ok) throw new Error(result.error);
    return { outcome: mitigationOutcome(result.value), times: asked(world).length };
  }

  test.each([
    ['4.02', RESPONSE.badOption],
    ['4.01', RESPONSE.unauthorized],
  ])('P-088 P-089 %s is told, and the request is not made again', async (code, byte) => {
    const { outcome, times } = await outcomeOf(diagnosed(byte));
    expect(outcome).toMatchObject({ type: 'refused', code, diagnostic: 'no' });
    expect(times).toBe(1);
  });

  test('P-090 unknown codes count by their class', async () => {
    const payload = encodeMitigationAnswer({ mid, lifetimeSeconds: 60 });
    expect(mitigationOutcome(response(0x5e, { payload }))).toMatchObject({
      type: 'done',
      code: '2.30',
      value: { mid },
    });
    expect(plainOutcome(response(0x5e))).toMatchObject({ type: 'done' });
    for (const [unknown, known] of [
      [0x9d, 0x80],
      [0xbf, 0xa0],
    ] as const) {
      const [one, other] = [await outcomeOf(diagnosed(unknown)), await outcomeOf(diagnosed(known))];
      expect(one).toEqual({ ...other, outcome: { ...other.outcome, code: one.outcome.code } });
      expect(one.outcome.type).toBe('refused');
    }
  });

  test('P-091 after 5.03 nothing is sent on its own, and how long to wait is told: Max-Age, or 60 s', async () => {
    for (const [maxAge, seconds] of [
      [20, 20],
      [undefined, 60],
    ] as const) {
      const { outcome, times } = await outcomeOf(diagnosed(RESPONSE.serviceUnavailable, maxAge));
      expect(outcome).toMatchObject({ type: 'refused', code: '5.03', retryAfterSeconds: seconds });
      expect(times).toBe(1);
    }
  });

  test('P-074 P-081 a Max-Age of 60 and none are the same', () => {
    const redirect = redirectResponse({ altServer: 'alt.example', altServerRecords: [] }, 60);
    const silent = {
      ...redirect,
      options: redirect.options.filter(({ number }) => number !== OPTION.maxAge),
    };
    expect(silent.options).toHaveLength(redirect.options.length - 1);
    expect(mitigationOutcome(redirect)).toMatchObject({ type: 'redirected', ttlSeconds: 60 });
    expect(mitigationOutcome(silent)).toEqual(mitigationOutcome(redirect));
  });

  test.each([[undefined], [0], [3600]])(
    'P-081 no answer is used for a second question: Max-Age %p',
    async (maxAge) => {
      const options = maxAge === undefined ? [] : [makeUintOption(OPTION.maxAge, maxAge)];
      const world = answering(response(RESPONSE.content, { options, payload: text('x') }));
      for (let count = 0; count < 2; count++) {
        void world.session.request(getConfig(), 30_000);
        await world.run(4_000);
      }
      expect(asked(world).map(({ code }) => code)).toEqual([METHOD.get, METHOD.get]);
    },
  );
});

test('what the client sends confirmably is a CON on the wire', async () => {
  const world = answering(undefined);
  const types: number[] = [];
  world.pair.client.send = (bytes) => types.push((bytes[0] ?? 0) >> 4) > 0;
  void world.session.request(getConfig(), 1_000);
  await world.run(500);
  expect(types.map((first) => first & 3)).toEqual([CON]);
});
