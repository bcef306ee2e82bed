/** What the client learns of the round trip, and what its pace makes of it (RFC 9132 §4.4). */
import { putMitigation } from '#core/client/requests.ts';
import { RESPONSE } from '#core/coap/code.ts';
import type { Cuid, Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import { ClientWorld } from '#test/support/client-world.ts';

const NOTHING = new Uint8Array(0);
const put = putMitigation('dz6pHjaADkaFTbjr0JGBpw' as Cuid, 7 as Mid, {
  scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.0/24'] },
  lifetimeSeconds: 3600,
  triggerMitigation: true,
});
const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));
const isHeartbeat = (payload: Uint8Array): boolean => payload.length < 10;

test('an answered heartbeat is an estimate: copies of the next request are 1 s apart', async () => {
  const world = new ClientWorld();
  world.script = ({ payload }) =>
    isHeartbeat(payload) ? { code: RESPONSE.changed, options: [], payload: NOTHING } : undefined;
  await world.run(40_000);
  const from = world.arrived.length;
  void world.session.request(put, 5_000);
  await world.run(5_000);
  const copies = world.arrived.slice(from).filter(({ request }) => !isHeartbeat(request.payload));
  expect(gaps(copies.map(({ at }) => at))).toEqual([1000, 1000, 1000, 1000]);
});

test('S-040 without an estimate a heartbeat takes its turn among the requests, 3 s from the next', async () => {
  const world = new ClientWorld();
  void world.session.request(put, 200_000);
  await world.run(200_000);
  expect(world.arrived.filter(({ request }) => isHeartbeat(request.payload)).length).toBeGreaterThan(4);
  expect(Math.min(...gaps(world.arrived.map(({ at }) => at)))).toBeGreaterThanOrEqual(3_000);
});
