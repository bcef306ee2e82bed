/** RFC 9132 §4.7 in the worst hour: the attack fills the link to the client, and nothing of the server arrives any more. */
import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { textOptions } from '#core/coap/options.ts';
import { decodeUdp } from '#core/coap/udp-message.ts';
import { put } from './asking.ts';
import { CALM } from './lossy-path.ts';
import { type SimulatedClient, Simulation } from './simulation.ts';

const SEEDS = [1, 2];
const CALM_SECONDS = 60;
/** More than twice the 15 heartbeats of 30 s that may be missed. */
const ATTACK_SECONDS = 1_000;
const ARMED = 1;
const ASKED = 2;

interface Sent {
  readonly at: number;
  readonly isHeartbeat: boolean;
}

function requestsOf({ path }: SimulatedClient, since: number): readonly Sent[] {
  return path.sent.toServer.flatMap(({ at, bytes }) => {
    const decoded = decodeUdp(bytes);
    if (!decoded.ok || decoded.value.code !== METHOD.put || at < since) return [];
    return [{ at, isHeartbeat: (textOptions(decoded.value.options, OPTION.uriPath) ?? []).at(-1) === 'hb' }];
  });
}

const gaps = (sent: readonly Sent[]): number[] =>
  sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0));

describe.each([0, 0.3])('nothing comes back, and %f of what goes out is lost', (toServer) => {
  let simulation: Simulation;
  const clients: { client: SimulatedClient; answered: () => boolean }[] = [];
  let attackAt = 0;

  beforeAll(async () => {
    simulation = await Simulation.open();
    for (const seed of SEEDS) {
      const client = await simulation.connect(seed, CALM);
      void client.session.request(put(client, { mid: ARMED, host: 200, trigger: false }), 30_000);
      let answered = false;
      simulation.at(CALM_SECONDS, () => {
        client.path.conditions = { ...CALM, loss: { toServer, toClient: 1 } };
        void client.session.request(put(client, { mid: ASKED, host: 1 }), 2_000_000).then(({ ok }) => {
          answered = ok;
        });
      });
      clients.push({ client, answered: () => answered });
    }
    await simulation.run(CALM_SECONDS);
    attackAt = simulation.world.nowMs;
    await simulation.run(ATTACK_SECONDS);
  }, 60_000);

  afterAll(async () => {
    clients.splice(0);
    await simulation.close();
  });

  test('the request is decided within 10 s and reaches the outbox once', async () => {
    const outbox = await simulation.world.outbox.pending(1_000);
    for (const { client } of clients) {
      const first = client.decided.find(({ command }) => 'mid' in command && command.mid === ASKED);
      expect(first?.answer.result).toBe('created');
      expect((first?.at ?? Infinity) - attackAt).toBeLessThan(10_000);
      const { domainId, cuid } = client;
      const wanted = outbox.filter((entry) => entry.domainId === domainId);
      expect(wanted).toEqual([expect.objectContaining({ domainId, cuid, mid: ASKED })]);
    }
  });

  test('S-333 the client repeats the request at least 1 s apart, and heartbeats on though none is answered', () => {
    for (const { client, answered } of clients) {
      expect(answered()).toBe(false);
      const sent = requestsOf(client, attackAt);
      const copies = sent.filter(({ isHeartbeat }) => !isHeartbeat);
      expect(copies.length).toBeGreaterThan(ATTACK_SECONDS / 2);
      expect(Math.min(...gaps(copies))).toBeGreaterThanOrEqual(1_000);
      const heartbeats = sent.filter(({ isHeartbeat }) => isHeartbeat);
      expect(Math.min(...gaps(heartbeats))).toBeGreaterThanOrEqual(15_000);
      expect(Math.max(...gaps(heartbeats))).toBeLessThanOrEqual(31_000);
      expect(heartbeats.at(-1)?.at).toBeGreaterThan(attackAt + (ATTACK_SECONDS - 31) * 1_000);
      // It has noticed, once, and draws no conclusion by itself.
      expect(client.silences).toHaveLength(1);
      expect(client.path.client.isClosed).toBe(false);
    }
  });

  test('S-337 the server takes no session for lost, and nothing flaps', async () => {
    const endings = simulation.world.events.filter(
      (told) =>
        ['signal-lost', 'mass-loss', 'session-closed'].includes(told.event) ||
        (told.event === 'session-state' && told.to === 'lost'),
    );
    expect(endings).toEqual([]);
    for (const { client } of clients) {
      expect(await client.mitigation(ARMED)).toMatchObject({ status: 'signalLoss', desired: 'absent' });
      const asked = await client.mitigation(ASKED);
      expect(asked).toMatchObject({ status: 'inProgress', desired: 'present' });
      const results = client.decided
        .filter(({ command }) => 'mid' in command && command.mid === ASKED)
        .map(({ answer }) => answer.result);
      expect(new Set(results.slice(1))).toEqual(new Set(['changed']));
    }
  });

  test('the first datagram that comes back is the answer', async () => {
    for (const { client } of clients) client.path.conditions = CALM;
    await simulation.run(5);
    expect(clients.map(({ answered }) => answered())).toEqual(SEEDS.map(() => true));
  });
});
