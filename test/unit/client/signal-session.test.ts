import { toHex } from '#core/base/bytes.ts';
import {
  deleteMitigation,
  getConfig,
  getMitigations,
  putHeartbeat,
  putMitigation,
} from '#core/client/requests.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption, uintOption } from '#core/coap/options.ts';
import { decodeUdp, encodeUdp, TYPE } from '#core/coap/udp-message.ts';
import type { Cuid, Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { contentFormatOption } from '#core/signal/content-format.ts';
import { decodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { ClientWorld } from '#test/support/client-world.ts';

const cuid = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
const mid = 7 as Mid;
const NOTHING = new Uint8Array(0);
const plain = (code: number): Response => ({ code, options: [], payload: NOTHING });
const observed = (payload: Uint8Array, observe = true): Response => ({
  code: RESPONSE.content,
  options: [...(observe ? [makeUintOption(OPTION.observe, 0)] : []), contentFormatOption()],
  payload,
});
const put = putMitigation(cuid, mid, {
  scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.0/24'] },
  lifetimeSeconds: 3600,
  triggerMitigation: true,
});
const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe('a mitigation request', () => {
  test('S-039 is repeated until it is answered, then no more', async () => {
    const world = new ClientWorld();
    world.script = () => (world.arrived.length < 3 ? undefined : plain(RESPONSE.created));
    const answer = world.session.request(put, 60_000);
    await world.run(60_000);
    expect(
      world.arrived.filter(({ request }) => request.code === METHOD.put && request.payload.length > 10),
    ).toHaveLength(3);
    expect(await answer).toMatchObject({ ok: true, value: { code: RESPONSE.created } });
  });

  test('P-044 S-040 copies are at least 3 s apart as long as there is no estimate', async () => {
    const world = new ClientWorld();
    const answer = world.session.request(put, 20_000);
    await world.run(20_000);
    const times = world.arrived.filter(({ request }) => request.payload.length > 10).map(({ at }) => at);
    expect(times.length).toBeGreaterThan(3);
    expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(3_000);
    expect(await answer).toEqual({ ok: false, error: 'timeout' });
  });

  test('with a round trip known from the handshake they are 1 s apart', async () => {
    const world = new ClientWorld({ roundTripMs: 20 });
    void world.session.request(put, 5_000);
    await world.run(5_000);
    expect(gaps(world.arrived.map(({ at }) => at))).toEqual([1000, 1000, 1000, 1000]);
  });

  test('one copy whose time is over does not end the others', async () => {
    const world = new ClientWorld();
    world.script = () => (world.nowMs < 200_000 ? undefined : plain(RESPONSE.created));
    const answer = world.session.request(put, 300_000);
    await world.run(230_000);
    expect(await answer).toMatchObject({ ok: true, value: { code: RESPONSE.created } });
  });

  test('S-252 a late answer to a request that is settled meets a Reset, and harms nobody', async () => {
    const world = new ClientWorld();
    const { client } = world.pair;
    const types: number[] = [];
    const send = client.send.bind(client);
    client.send = (bytes) => {
      const decoded = decodeUdp(bytes);
      if (decoded.ok) types.push(decoded.value.type);
      return send(bytes);
    };
    world.script = () => (world.arrived.length < 2 ? undefined : plain(RESPONSE.created));
    const answer = world.session.request(put, 10_000);
    await world.run(4_000);
    expect((await answer).ok).toBe(true);
    expect(types).toEqual([TYPE.nonConfirmable, TYPE.nonConfirmable]);
    const first = decodeUdp(world.pair.fromServer[0] ?? NOTHING);
    if (!first.ok) throw new Error('no answer was sent');
    client.onMessage?.(
      encodeUdp(TYPE.confirmable, 4711, {
        code: RESPONSE.created,
        token: Uint8Array.of(1, 2, 3),
        options: [],
        payload: NOTHING,
      }),
    );
    expect(types.at(-1)).toBe(TYPE.reset);
    expect(world.closed).toBeUndefined();
  });

  test('over TCP it is sent once', async () => {
    const world = new ClientWorld({ transport: 'tcp' });
    const answer = world.session.request(put, 12_000);
    await world.run(12_000);
    expect(world.arrived).toHaveLength(1);
    expect(await answer).toEqual({ ok: false, error: 'timeout' });
  });

  test('S-037 S-046 S-227 S-395 it is Non-confirmable, each copy with its own message id and token', async () => {
    const world = new ClientWorld();
    const sent: Uint8Array[] = [];
    const { client } = world.pair;
    const send = client.send.bind(client);
    client.send = (bytes) => {
      sent.push(bytes);
      return send(bytes);
    };
    void world.session.request(put, 20_000);
    void world.session.request(deleteMitigation(cuid, mid), 20_000);
    await world.run(17_000);
    const messages = sent
      .map((bytes) => decodeUdp(bytes))
      .map((decoded) => (decoded.ok ? decoded.value : undefined));
    expect(messages).toHaveLength(6);
    expect(new Set(messages.map((message) => message?.type))).toEqual(new Set([TYPE.nonConfirmable]));
    expect(new Set(messages.map((message) => message?.messageId)).size).toBe(6);
    expect(new Set(messages.map((message) => toHex(message?.token ?? NOTHING))).size).toBe(6);
    expect(messages[0]?.code).toBe(METHOD.put);
    expect(uintOption(messages[0]?.options ?? [], OPTION.contentFormat)).toBe(271);
    expect(messages[1]).toMatchObject({ code: METHOD.delete, payload: NOTHING });
  });

  test('fails at once when the session is closed', async () => {
    const world = new ClientWorld();
    const answer = world.session.request(put, 60_000);
    await world.run(1_000);
    world.pair.server.close();
    await world.run(100);
    expect(await answer).toEqual({ ok: false, error: 'closed' });
    expect(world.closed).toBe('peer-closed');
    const late = world.session.request(put, 60_000);
    await world.run(100);
    expect(await late).toEqual({ ok: false, error: 'closed' });
  });
});

describe('pace', () => {
  test('S-038 with a round trip of 500 ms, twenty requests at once make no more than one datagram in 500 ms', async () => {
    const world = new ClientWorld({ roundTripMs: 500 });
    for (let count = 0; count < 20; count++) void world.session.request(put, 60_000);
    await world.run(14_000);
    const times = world.arrived.map(({ at }) => at);
    expect(times.length).toBeGreaterThanOrEqual(20);
    expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(500);
  });

  test('A-245 S-040 without an estimate two requests together make one datagram in 3 s', async () => {
    const world = new ClientWorld();
    void world.session.request(put, 60_000);
    void world.session.request(deleteMitigation(cuid, mid), 60_000);
    await world.run(14_000);
    expect(Math.min(...gaps(world.arrived.map(({ at }) => at)))).toBeGreaterThanOrEqual(3_000);
  });

  test('a request that is given up leaves its turn to the next', async () => {
    const world = new ClientWorld({ roundTripMs: 500 });
    void world.session.request(put, 60_000);
    const hopeless = world.session.request(deleteMitigation(cuid, mid), 100);
    void world.session.request(getMitigations(cuid), 60_000);
    await world.run(900);
    expect(await hopeless).toEqual({ ok: false, error: 'timeout' });
    expect(world.arrived.map(({ request }) => request.code)).toEqual([METHOD.put, METHOD.get]);
  });

  test('over TCP there is none', async () => {
    const world = new ClientWorld({ transport: 'tcp', roundTripMs: 500 });
    for (let count = 0; count < 20; count++) void world.session.request(put, 60_000);
    await world.run(0);
    expect(world.arrived).toHaveLength(20);
  });
});

test('S-249 S-251 configuration is asked for Confirmably, once', async () => {
  const world = new ClientWorld();
  world.script = () => observed(Uint8Array.of(0xa1), false);
  const answer = world.session.request(getConfig(), 10_000);
  await world.run(10_000);
  expect(world.arrived.map(({ request }) => request.confirmable)).toEqual([true]);
  expect((await answer).ok).toBe(true);
});

describe('an observation', () => {
  const watch = (world: ClientWorld, seen: string[]) =>
    world.session.observe(
      (observe) => getMitigations(cuid, { mid, observe }),
      (response, more) => seen.push(`${toHex(response.payload)} ${more}`),
    );

  test('S-194 registers until it is answered, under one token, and hears every notification', async () => {
    const world = new ClientWorld();
    const seen: string[] = [];
    world.script = () => (world.arrived.length < 2 ? undefined : observed(Uint8Array.of(1)));
    watch(world, seen);
    await world.run(4_000);
    expect(world.arrived.map(({ request }) => uintOption(request.options, OPTION.observe))).toEqual([0, 0]);
    const { exchange = 0 } = world.arrived[1] ?? {};
    world.server.notify(exchange, observed(Uint8Array.of(2)), false);
    await world.run(1_000);
    world.server.notify(exchange, { ...plain(RESPONSE.notFound), options: [] }, true);
    await world.run(1_000);
    expect(seen).toEqual(['01 true', '02 true', ' false']);
  });

  test('P-115 is renewed 5 to 15 s after Max-Age has passed in silence, each client at a time of its own', async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const world = new ClientWorld({ seed });
      const fresh = observed(Uint8Array.of(1));
      const withMaxAge = { ...fresh, options: [...fresh.options, makeUintOption(OPTION.maxAge, 10)] };
      world.script = (request) => (request.code === METHOD.get ? withMaxAge : plain(RESPONSE.changed));
      watch(world, []);
      await world.run(26_000);
      const gets = world.arrived.filter(({ request }) => request.code === METHOD.get);
      expect(gets).toHaveLength(2);
      delays.push((gets[1]?.at ?? 0) - (gets[0]?.at ?? 0) - 10_000);
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(15_000);
    expect(new Set(delays.map((delay) => Math.round(delay / 100))).size).toBeGreaterThan(10);
  });

  test('P-115 without Max-Age a notification is current for a minute', async () => {
    const world = new ClientWorld();
    world.script = (request) =>
      request.code === METHOD.get ? observed(Uint8Array.of(1)) : plain(RESPONSE.changed);
    watch(world, []);
    await world.run(64_000);
    const registrations = (): number =>
      world.arrived.filter(({ request }) => request.code === METHOD.get).length;
    expect(registrations()).toBe(1);
    await world.run(12_000);
    expect(registrations()).toBe(2);
  });

  test('S-206 is ended by Observe 1 under the token of the registration', async () => {
    const world = new ClientWorld();
    const sent: Uint8Array[] = [];
    const { client } = world.pair;
    const send = client.send.bind(client);
    client.send = (bytes) => {
      sent.push(bytes);
      return send(bytes);
    };
    world.script = (request) => observed(Uint8Array.of(1), uintOption(request.options, OPTION.observe) === 0);
    const observation = watch(world, []);
    await world.run(500);
    const stopped = observation.stop();
    await world.run(500);
    await stopped;
    expect(await observation.over).toBe('stopped');
    const messages = sent
      .map((bytes) => decodeUdp(bytes))
      .map((decoded) => (decoded.ok ? decoded.value : undefined));
    expect(messages.map((message) => uintOption(message?.options ?? [], OPTION.observe))).toEqual([0, 1]);
    expect(toHex(messages[1]?.token ?? NOTHING)).toBe(toHex(messages[0]?.token ?? NOTHING));
    world.server.notify(world.arrived[0]?.exchange ?? 0, observed(Uint8Array.of(2)), false);
    await world.run(5_000);
    expect(sent).toHaveLength(2);
  });

  test('stops within two seconds though nobody answers', async () => {
    const world = new ClientWorld();
    const observation = watch(world, []);
    await world.run(500);
    const stopped = observation.stop();
    await world.run(2_100);
    await stopped;
    expect(await observation.over).toBe('stopped');
  });
});

describe('heartbeats', () => {
  const heartbeats = (world: ClientWorld) =>
    world.arrived.map(({ at, request }) => ({ at, request, body: decodeHeartbeat(request.payload) }));

  test('S-315 go out Non-confirmably every 30 s to /.well-known/dots/hb and say that the server’s are missing', async () => {
    const world = new ClientWorld();
    world.script = () => plain(RESPONSE.changed);
    await world.run(120_000);
    const sent = heartbeats(world);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(new Set(gaps(sent.map(({ at }) => at)))).toEqual(new Set([30_000]));
    expect(sent.every(({ request }) => !request.confirmable && request.code === METHOD.put)).toBe(true);
    const path = sent[0]?.request.options.filter(({ number }) => number === OPTION.uriPath);
    expect(path?.map(({ value }) => Buffer.from(value).toString())).toEqual(['.well-known', 'dots', 'hb']);
    expect(world.silences).toEqual([]);
  });

  test('S-321 answers alone do not make the status true, heartbeats of the server do', async () => {
    const world = new ClientWorld();
    world.script = () => plain(RESPONSE.changed);
    await world.run(100_000);
    expect(heartbeats(world).at(-1)?.body).toEqual({ ok: true, value: { peerHbStatus: false } });
    world.server.send(putHeartbeat(true));
    await world.run(30_000);
    expect(heartbeats(world).at(-1)?.body).toEqual({ ok: true, value: { peerHbStatus: true } });
  });

  test('S-005 those of the server are answered 2.04 without a body', async () => {
    const world = new ClientWorld();
    world.server.send(putHeartbeat(true));
    await world.run(100);
    expect(world.answers).toEqual([plain(RESPONSE.changed)]);
  });

  test('what is malformed, or no heartbeat, is refused', async () => {
    const world = new ClientWorld();
    const path = ['.well-known', 'dots', 'hb'].map((segment) => makeTextOption(OPTION.uriPath, segment));
    world.server.send({ code: METHOD.put, options: path, payload: Uint8Array.of(0xa0), confirmable: false });
    world.server.send({ code: METHOD.get, options: path, payload: NOTHING, confirmable: false });
    world.server.send(getMitigations(cuid));
    await world.run(100);
    expect(world.answers.map(({ code }) => code)).toEqual([
      RESPONSE.badRequest,
      RESPONSE.methodNotAllowed,
      RESPONSE.notFound,
    ]);
  });

  test('silence is told once, after all that may be missed', async () => {
    const world = new ClientWorld();
    await world.run(15 * 30_000);
    expect(world.silences).toEqual([]);
    await world.run(5 * 30_000);
    expect(world.silences).toHaveLength(1);
    expect(world.closed).toBeUndefined();
  });
});
