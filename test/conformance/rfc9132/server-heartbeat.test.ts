/** RFC 9132 §4.7 at the server: heartbeats in both directions, and what is concluded from them. */
import type { SignalConfigBody } from '#core/signal/bodies.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import { encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import { fromHex } from '#test/support/hex.ts';
import { CUID, codeOf, entryOf, mitigation, scopeBody } from '#test/support/signal-asks.ts';
import type { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, SignalWorld } from '#test/support/signal-world.ts';

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open({ policy: { terminatingSeconds: 20 } });
});
afterEach(() => world.close());

const HEARTBEAT = encodeHeartbeat({ peerHbStatus: true });

async function configure(client: SignalClient, sid: number, body: SignalConfigBody): Promise<void> {
  const payload = encodeConfig(body);
  const answer = await client.answerTo('put', `config/sid=${sid}`, { payload, confirmable: true });
  expect(codeOf(answer)).toMatch(/^2\./);
}

const interval = (seconds: number, missing?: number) => ({
  heartbeatInterval: { current: seconds },
  ...(missing === undefined ? {} : { missingHbAllowed: { current: missing } }),
});

/** Lets seconds pass; the client sends its own heartbeat every `every` seconds. */
async function beating(
  client: SignalClient,
  seconds: number,
  every: number,
  peerHbStatus = true,
): Promise<void> {
  const payload = encodeHeartbeat({ peerHbStatus });
  for (let passed = 0; passed < seconds; passed += every) {
    await client.ask('put', 'hb', { payload });
    await world.advance(every);
  }
}

const gaps = (client: SignalClient): number[] =>
  client.heartbeats.slice(1).map(({ at }, index) => (at - (client.heartbeats[index]?.at ?? 0)) / 1000);

describe('the client’s heartbeats', () => {
  test('S-315 NON PUT hb is answered NON 2.04 without payload', async () => {
    const alice = await world.connect(ALICE);
    const answer = await alice.answerTo('put', 'hb', { payload: fromHex('a11831a11833f5') });
    expect([codeOf(answer), answer.payload.length, answer.options]).toEqual(['2.04', 0, []]);
    expect(alice.datagrams().map(({ type }) => type)).toEqual([1]);
  });

  test('S-318 S-319 parameters in the path and a missing peer-hb-status are 4.00', async () => {
    const alice = await world.connect(ALICE);
    for (const path of [`hb/cuid=${CUID}`, 'hb/mid=1', 'hb/sid=1'])
      expect(codeOf(await alice.ask('put', path, { payload: HEARTBEAT }))).toBe('4.00');
    expect(codeOf(await alice.ask('put', 'hb', { payload: fromHex('a11831a0') }))).toBe('4.00');
  });

  test('a heartbeat touches memory alone: no call to store or function, no log line', async () => {
    let calls = 0;
    await world.close();
    world = await SignalWorld.open({
      intercept: (functions) => ({
        authorize: (request) => functions.authorize(request),
        requestMitigation: (event) => {
          calls++;
          return functions.requestMitigation(event);
        },
      }),
    });
    const alice = await world.connect(ALICE);
    await world.settle();
    const logged = world.events.length;
    const reads = world.storeCalls();
    for (let count = 0; count < 100; count++) await alice.ask('put', 'hb', { payload: HEARTBEAT });
    expect([calls, world.events.length, world.storeCalls()]).toEqual([0, logged, reads]);
    expect(world.server.stats()).toMatchObject({ heartbeatsReceived: 100, requests: 0 });
  });
});

describe('the server’s heartbeats', () => {
  test('A-056 S-005 S-242 S-261 S-316 the server sends its own every 30 seconds over the client’s session', async () => {
    const alice = await world.connect(ALICE);
    await world.advance(95);
    expect(alice.heartbeats.map(({ at }) => at / 1000)).toEqual([30, 60, 90]);
  });

  test('S-318 its path is .well-known, dots, hb and nothing else, sent Non-confirmable', async () => {
    const alice = await world.connect(ALICE);
    await world.advance(31);
    expect(alice.heartbeats[0]?.path).toEqual(['.well-known', 'dots', 'hb']);
    expect(alice.datagrams().map(({ type }) => type)).toEqual([1]);
  });

  test('S-246 S-247 S-248 the interval is that of the set in force, and switches with the mitigations', async () => {
    const alice = await world.connect(ALICE);
    await configure(alice, 1, { mitigating: interval(15), idle: interval(60) });
    await world.advance(130);
    expect(gaps(alice)).toEqual([60]);
    const spacing = async (seconds: number) => {
      const from = alice.heartbeats.length;
      await world.advance(seconds);
      return gaps(alice).slice(from - 1);
    };
    await alice.ask('put', mitigation(1), { payload: scopeBody() });
    expect(new Set(await spacing(60))).toEqual(new Set([15]));
    await alice.ask('delete', mitigation(1));
    // Terminating for 20 seconds still counts as active.
    expect(await spacing(16)).toEqual([15]);
    await world.advance(9);
    expect(await spacing(185)).toEqual([60, 60, 60]);
  });

  test('S-242 S-263 no configuration brings two of them closer than 15 seconds', async () => {
    const alice = await world.connect(ALICE);
    for (let sid = 1; sid <= 12; sid++) {
      await configure(alice, sid, { idle: interval(sid % 3 === 0 ? 0 : sid % 2 === 0 ? 15 : 240) });
      await world.advance(7);
    }
    await configure(alice, 20, { idle: interval(15) });
    await world.advance(60);
    expect(gaps(alice).length).toBeGreaterThan(2);
    for (const gap of gaps(alice)) expect(gap).toBeGreaterThanOrEqual(15);
  });

  test('S-320 peer-hb-status turns false after two intervals without the client’s heartbeats, and true again with them', async () => {
    const alice = await world.connect(ALICE);
    await configure(alice, 1, { idle: interval(15) });
    await beating(alice, 45, 15);
    await world.advance(46);
    expect(alice.heartbeats.map(({ peerHbStatus }) => peerHbStatus).slice(-2)).toEqual([false, false]);
    await beating(alice, 30, 15);
    expect(alice.heartbeats.at(-1)?.peerHbStatus).toBe(true);
  });

  test('S-322 a client that receives none is sent them right after its own, never closer than 15 seconds', async () => {
    const alice = await world.connect(ALICE);
    await configure(alice, 1, { idle: interval(15) });
    await world.advance(22);
    const sent: number[] = [];
    for (let count = 0; count < 6; count++) {
      sent.push(world.nowMs);
      await alice.ask('put', 'hb', { payload: encodeHeartbeat({ peerHbStatus: false }) });
      await world.advance(15);
    }
    const after = alice.heartbeats.filter(({ at }) => at >= (sent[1] ?? 0));
    expect(after.length).toBeGreaterThanOrEqual(5);
    for (const { at } of after)
      expect(Math.min(...sent.map((own) => (at >= own ? at - own : Infinity)))).toBeLessThanOrEqual(1000);
    for (const gap of gaps(alice)) expect(gap).toBeGreaterThanOrEqual(15);
  });

  test('S-323 with the option on the server always follows the client’s heartbeat', async () => {
    await world.close();
    world = await SignalWorld.open({ settings: { followHeartbeats: true } });
    const alice = await world.connect(ALICE);
    await world.advance(7);
    await beating(alice, 120, 30);
    expect(alice.heartbeats.map(({ at }) => at / 1000)).toEqual([7, 37, 67, 97]);
  });

  test('a peer that refuses heartbeats, as a plain CoAP client does, keeps its session', async () => {
    const alice = await world.connect(ALICE);
    alice.answering = false;
    await configure(alice, 1, { idle: interval(15, 3) });
    await beating(alice, 120, 15);
    expect(world.server.stats().sessions.idle).toBe(1);
  });
});

describe('loss of signal', () => {
  const losses = () => world.events.filter(({ event }) => event === 'signal-lost');

  /** A client with a request that waits for the loss of its session, which 3 x 15 seconds of silence are. */
  async function preconfigured(transport: 'udp' | 'tcp' = 'udp'): Promise<SignalClient> {
    const alice = await world.connect(ALICE, { transport });
    await configure(alice, 1, { idle: interval(15, 3), mitigating: interval(15, 3) });
    const payload = scopeBody('192.0.2.1/32', { triggerMitigation: false, lifetimeSeconds: 7200 });
    expect(codeOf(await alice.ask('put', mitigation(5), { payload }))).toBe('2.01');
    await beating(alice, 30, 15);
    return alice;
  }

  const statusOf = async (mid: number) => (await world.stored(CUID, mid)).status;

  test('A-057 A-176 A-186 S-325 S-339 S-243 S-094 a total blackout triggers after about 45 to 60 seconds, not earlier, and once', async () => {
    const alice = await preconfigured();
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(44);
    expect(await statusOf(5)).toBe('signalLoss');
    await world.advance(18);
    expect(await statusOf(5)).toBe('inProgress');
    expect((await world.stored(CUID, 5)).startedAt).toBeGreaterThan(world.wall - 20);
    await world.advance(300);
    expect(losses()).toHaveLength(1);
  });

  test('A-005 S-337 S-338 as long as anything comes from the client its session is not lost, and serves it', async () => {
    const alice = await preconfigured();
    alice.pair.lost = { toServer: false, toClient: true };
    await beating(alice, 300, 15);
    expect(await statusOf(5)).toBe('signalLoss');
    const payload = scopeBody('198.51.100.1/32');
    alice.send('put', mitigation(6), { payload });
    await world.settle();
    expect((await world.stored(CUID, 6)).status).toBe('inProgress');
  });

  test('S-326 misses have to be consecutive', async () => {
    const alice = await preconfigured();
    for (let round = 0; round < 8; round++) {
      alice.pair.lost = { toServer: round % 3 !== 2, toClient: round % 3 !== 2 };
      await world.advance(15);
    }
    expect(await statusOf(5)).toBe('signalLoss');
  });

  test('S-340 with heartbeats disabled silence means nothing', async () => {
    const alice = await preconfigured();
    await configure(alice, 2, { idle: interval(0) });
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(3600);
    expect(await statusOf(5)).toBe('signalLoss');
  }, 30_000);

  test('S-245 S-341 over TCP each heartbeat has its interval to be answered, and the default of 15 may be missed', async () => {
    const alice = await preconfigured('tcp');
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(15 * 15 - 1);
    expect(await statusOf(5)).toBe('signalLoss');
    await world.advance(16);
    expect(await statusOf(5)).toBe('inProgress');
  });

  test('A-179 S-240 S-241 its return changes nothing, and the session serves again', async () => {
    const alice = await preconfigured();
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(62);
    alice.pair.lost = { toServer: false, toClient: false };
    await beating(alice, 60, 15);
    expect(entryOf(await alice.answerTo('get', mitigation(5))).status).toBe('inProgress');
    const states = world.events.flatMap((event) => (event.event === 'session-state' ? [event.to] : []));
    expect(states).toEqual(['lost', 'idle', 'mitigating']);
    await alice.ask('delete', mitigation(5));
    expect(entryOf(await alice.answerTo('get', mitigation(5))).status).toBe('activeButTerminating');
  });

  test('S-139 S-140 the immediate mitigation it overlaps is withdrawn at once', async () => {
    const alice = await preconfigured();
    await alice.ask('put', mitigation(6), { payload: scopeBody() });
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(65);
    expect([await statusOf(5), await statusOf(6)]).toEqual(['inProgress', 'withdrawn']);
  });

  test('a client heard on another session is not lost', async () => {
    const alice = await preconfigured();
    const other = await world.connect(ALICE);
    alice.pair.lost = { toServer: true, toClient: true };
    await beating(other, 120, 15);
    expect(await statusOf(5)).toBe('signalLoss');
    other.pair.lost = { toServer: true, toClient: true };
    await world.advance(65);
    expect(await statusOf(5)).toBe('inProgress');
  });

  test('an orderly end of the session is no loss', async () => {
    const alice = await preconfigured();
    alice.leave();
    await world.advance(600);
    expect(await statusOf(5)).toBe('signalLoss');
  });

  test('a session that breaks is lost only after the same silence, and not when the client comes back', async () => {
    const alice = await preconfigured();
    alice.break();
    await world.advance(20);
    expect(await statusOf(5)).toBe('signalLoss');
    const again = await world.connect(ALICE);
    await world.advance(100);
    expect(await statusOf(5)).toBe('signalLoss');
    again.break();
    await world.advance(62);
    expect(await statusOf(5)).toBe('inProgress');
  });

  test('a session whose client never named its cuid triggers what the client has waiting', async () => {
    const alice = await preconfigured();
    alice.leave();
    const again = await world.connect(ALICE, { resumed: true });
    await beating(again, 30, 15);
    again.pair.lost = { toServer: true, toClient: true };
    await world.advance(65);
    expect(await statusOf(5)).toBe('inProgress');
  });

  test('a server that stops triggers nothing', async () => {
    await preconfigured();
    await world.server.close();
    await world.advance(300);
    expect(await statusOf(5)).toBe('signalLoss');
  });

  test('the trigger is repeated until the function has done it', async () => {
    await world.close();
    let failing = true;
    world = await SignalWorld.open({
      intercept: (functions) => ({
        authorize: (request) => functions.authorize(request),
        requestMitigation: (event) =>
          failing && event.commands.some(({ type }) => type === 'signal-lost')
            ? Promise.reject(new Error('throttled'))
            : functions.requestMitigation(event),
      }),
    });
    const alice = await preconfigured();
    alice.pair.lost = { toServer: true, toClient: true };
    await world.advance(70);
    expect(await statusOf(5)).toBe('signalLoss');
    failing = false;
    await world.advance(5);
    expect(await statusOf(5)).toBe('inProgress');
    expect(losses()).toHaveLength(1);
  });
});
