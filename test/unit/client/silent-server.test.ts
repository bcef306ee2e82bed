/** What a client sends, and goes on sending, to a server that is slow, overloaded or not heard (RFC 9132 §4.4, §4.5, §4.7). */
import { mitigationOutcome } from '#core/client/outcome.ts';
import { getConfig, getMitigations, putMitigation } from '#core/client/requests.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Response } from '#core/coap/message.ts';
import type { Cuid, Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { errorResponse } from '#core/signal/error-response.ts';
import { ClientWorld } from '#test/support/client-world.ts';

const cuid = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
const CHANGED: Response = { code: RESPONSE.changed, options: [], payload: new Uint8Array(0) };
const putOf = (targetPrefixes: readonly string[]) =>
  putMitigation(cuid, 7 as Mid, {
    scope: { ...EMPTY_SCOPE, targetPrefixes },
    lifetimeSeconds: 3600,
    triggerMitigation: true,
  });
const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

/** Lengths of all that the client sends from now on. */
function sentBy({ pair: { client } }: ClientWorld): number[] {
  const lengths: number[] = [];
  const send = client.send.bind(client);
  client.send = (bytes) => {
    lengths.push(bytes.length);
    return send(bytes);
  };
  return lengths;
}

test('S-324 an idle session is never silent for as long as a minute, so that bindings on the path are kept', async () => {
  const world = new ClientWorld();
  world.script = () => CHANGED;
  await world.run(600_000);
  const times = [0, ...world.arrived.map(({ at }) => at), 600_000];
  expect(Math.max(...gaps(times))).toBeLessThan(60_000);
});

test('S-332 when nothing comes back during an attack the session stays, is used, and is good when answers come again', async () => {
  const world = new ClientWorld();
  world.script = () => CHANGED;
  world.pair.lost.toClient = true;
  const answer = world.session.request(putOf(['192.0.2.1/32']), 1_200_000);
  await world.run(1_000_000);
  expect(world.silences).toHaveLength(1);
  expect(world.closed).toBeUndefined();
  expect(world.arrived.at(-1)?.at).toBeGreaterThan(950_000);
  world.pair.lost.toClient = false;
  await world.run(15_000);
  expect((await answer).ok).toBe(true);
});

test('S-244 to a silent server all but requests for mitigation stays within 5 bytes per second', async () => {
  const world = new ClientWorld();
  const sent = sentBy(world);
  world.pair.lost.toServer = true;
  for (let second = 0; second < 3600; second += 10) {
    void world.session.request(getConfig(), 60_000);
    await world.run(10_000);
  }
  const total = sent.reduce((sum, length) => sum + length, 0);
  // The first exchange, four transmissions, tells that the server is silent.
  expect(total).toBeLessThanOrEqual(5 * 3600 + 4 * Math.max(...sent));
  expect(total).toBeGreaterThan(3600);
});

test('S-211 however often it polls, a client sends no more than one datagram in a round trip', async () => {
  const world = new ClientWorld({ roundTripMs: 200 });
  for (let count = 0; count < 300; count++) {
    void world.session.request(getMitigations(cuid), 60_000);
    await world.run(10);
  }
  const times = world.arrived.filter(({ request }) => request.code === METHOD.get).map(({ at }) => at);
  expect(times.length).toBeGreaterThanOrEqual(14);
  expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(200);
});

test('S-225 a 5.03 ends the request: it says when to come back, and nothing is sent until then', async () => {
  const world = new ClientWorld();
  world.script = () => errorResponse({ code: 'unavailable', why: 'overloaded', retryAfterSeconds: 25 });
  const answer = world.session.request(putOf(['192.0.2.1/32']), 60_000);
  await world.run(14_000);
  const result = await answer;
  expect(result.ok && mitigationOutcome(result.value)).toEqual({
    type: 'refused',
    code: '5.03',
    diagnostic: 'overloaded',
    retryAfterSeconds: 25,
  });
  expect(world.arrived).toHaveLength(1);
});

test('S-016 the largest request goes in datagrams that the path takes whole', async () => {
  const world = new ClientWorld({ roundTripMs: 20 });
  const sent = sentBy(world);
  world.script = () => CHANGED;
  const prefixes = Array.from({ length: 400 }, (_, number) => `2001:db8:${number.toString(16)}::/48`);
  const answer = world.session.request(putOf(prefixes), 60_000);
  await world.run(20_000);
  expect((await answer).ok).toBe(true);
  expect(sent.length).toBeGreaterThan(6);
  expect(Math.max(...sent)).toBeLessThanOrEqual(1152);
});
