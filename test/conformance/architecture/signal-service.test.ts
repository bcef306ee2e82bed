/** RFC 8811 and RFC 8612 at the signal-channel server: what it tells, whom it serves, and what it keeps. */
import { createSignalServer } from '#agent-edge/server/server.ts';
import type { Response } from '#core/coap/message.ts';
import {
  CONFLICT_CAUSE_NUMBER,
  CONFLICT_STATUS_NUMBER,
  type ConflictCause,
  type ConflictStatus,
} from '#core/model/conflict.ts';
import { EMPTY_SCOPE, type MitigationScope } from '#core/model/scope.ts';
import { STATUS_NUMBER, type Status } from '#core/model/status.ts';
import { encodeConfig } from '#core/signal/config-codec.ts';
import { decodeMitigationStatus, encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { createAuthorizer } from '#functions/authorizer/app.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { ManualDriver } from '#test/support/manual-driver.ts';
import { eventually } from '#test/support/mitigator-world.ts';
import { DEMO, mid } from '#test/support/records.ts';
import { SecurePair } from '#test/support/secure-pair.ts';
import { CUID, codeOf, entryOf, mitigation, scopeBody, textOf } from '#test/support/signal-asks.ts';
import { SignalClient } from '#test/support/signal-client.ts';
import { ALICE, BOB, REVOKED, SignalWorld, STRANGER, UNKNOWN } from '#test/support/signal-world.ts';
import { put, requester, scopeOf, World } from '#test/unit/mitigation/fixtures.ts';

let world: SignalWorld;
beforeEach(async () => {
  world = await SignalWorld.open();
});
afterEach(() => world.close());

const scoped = (scope: Partial<MitigationScope>): Uint8Array =>
  scopeBody([], { scope: { ...EMPTY_SCOPE, ...scope } });

test('A-019 A-211 what is honoured is told by 2.01 and 2.04 and a status, what is not by 4.xx with its reason', async () => {
  const alice = await world.connect(ALICE);
  const ask = (prefix: string) => alice.answerTo('put', mitigation(1), { payload: scopeBody(prefix) });
  expect(codeOf(await ask('192.0.2.1/32'))).toBe('2.01');
  expect(codeOf(await ask('192.0.2.1/32'))).toBe('2.04');
  expect(entryOf(await alice.answerTo('get', mitigation(1))).status).toBe('inProgress');
  const refused = await alice.answerTo('put', mitigation(2), { payload: scopeBody('203.0.113.1/32') });
  expect([codeOf(refused), textOf(refused)]).toEqual(['4.00', expect.stringContaining('203.0.113.1/32')]);
});

test('A-050 each cause of a refusal has words of its own', async () => {
  const alice = await world.connect(ALICE);
  const bodies: readonly Partial<MitigationScope>[] = [
    { targetPrefixes: ['203.0.113.1/32'] },
    { targetPrefixes: ['127.0.0.1/32'] },
    { targetFqdns: ['www.other.example'] },
    { targetFqdns: ['unresolvable.demo.example'] },
    { aliasNames: ['unknown'] },
    { targetProtocols: [6] },
    { targetPrefixes: ['192.0.2.1/32'], targetProtocols: [256] },
    { targetPrefixes: ['192.0.2.1/32'], targetPortRanges: [{ lowerPort: 9, upperPort: 8 }] },
  ];
  const reasons = new Set<string>();
  for (const scope of bodies) {
    const answer = await alice.answerTo('put', mitigation(1), { payload: scoped(scope) });
    expect([scope, codeOf(answer)]).toEqual([scope, '4.00']);
    reasons.add(textOf(answer));
  }
  expect(reasons.has('')).toBe(false);
  expect(reasons.size).toBe(bodies.length);
});

test.each([
  ['IPv4 prefix', { targetPrefixes: ['192.0.2.0/28'] }],
  ['IPv6 prefix', { targetPrefixes: ['2001:db8:1::/48'] }],
  ['domain name', { targetFqdns: ['www.demo.example'] }],
  ['URI', { targetUris: ['https://www.demo.example/path'] }],
] as const)('A-222 a scope may be an %s', (_what, scope) => {
  const decisions = new World();
  decisions.resolved = new Map([['www.demo.example', ['192.0.2.7/32', '2001:db8::7/128']]]);
  expect(decisions.code(put(requester('alice'), 1, scopeOf(scope)))).toBe('2.01');
});

describe('A-238 each verb is allowed to whom it is meant for', () => {
  const CONFIG = encodeConfig({ idle: { heartbeatInterval: { current: 60 } } });
  /** PUT, GET and DELETE of the owner's mid, GET and PUT of a configuration. */
  const verbs = async (identity: typeof ALICE): Promise<readonly string[]> => {
    const client = await world.connect(identity);
    const answers = [
      await client.ask('put', mitigation(1), { payload: scopeBody() }),
      await client.ask('get', mitigation(1)),
      await client.ask('delete', mitigation(1)),
      await client.ask('get', 'config', { confirmable: true }),
      await client.ask('put', 'config/sid=1', { payload: CONFIG, confirmable: true }),
    ];
    return answers.map(codeOf);
  };

  test.each([
    ['the client itself', ALICE, ['2.04', '2.05', '2.02', '2.05', '2.01'], 'activeButTerminating'],
    ['another client of its domain', BOB, ['4.09', '4.04', '2.02', '2.05', '2.01'], 'inProgress'],
    ['a client of another domain', STRANGER, ['4.00', '4.04', '2.02', '2.05', '2.01'], 'inProgress'],
    ['a revoked client', REVOKED, ['4.01', '4.01', '4.01', '4.01', '4.01'], 'inProgress'],
    ['an unknown peer', UNKNOWN, ['4.01', '4.01', '4.01', '4.01', '4.01'], 'inProgress'],
  ] as const)('%s', async (_who, identity, expected, status) => {
    const owner = await world.connect(ALICE);
    await owner.ask('put', mitigation(1), { payload: scopeBody() });
    expect(await verbs(identity)).toEqual(expected);
    expect((await world.stored(CUID, 1)).status).toBe(status);
  });
});

test('A-207 heartbeats that are off while idle come back with a mitigation', async () => {
  const alice = await world.connect(ALICE);
  const payload = encodeConfig({
    idle: { heartbeatInterval: { current: 0 } },
    mitigating: { heartbeatInterval: { current: 30 } },
  });
  await alice.ask('put', 'config/sid=1', { payload, confirmable: true });
  const before = alice.heartbeats.length;
  await world.advance(120);
  expect(alice.heartbeats.length).toBe(before);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await world.advance(95);
  expect(alice.heartbeats.length - before).toBe(3);
});

test('A-188 who asked, for what and when, is in the audit, and refusals are counted', async () => {
  const alice = await world.connect(ALICE);
  await alice.ask('put', mitigation(1), { payload: scopeBody() });
  await world.advance(10);
  await alice.ask('put', mitigation(2), { payload: scopeBody('192.0.2.0/24') });
  await world.advance(10);
  await alice.ask('delete', mitigation(2));
  await alice.ask('put', mitigation(3), { payload: scopeBody('203.0.113.1/32') });
  const audit = (await world.store.audit(DEMO, 10)).toReversed();
  const start = world.wall - 20;
  const by = { actor: ALICE, domainId: DEMO };
  const records = (...changed: readonly [number, Status][]) => ({
    name: 'CN=demo',
    records: changed.map(([number, status]) => ({ cuid: CUID, mid: number, status })),
  });
  expect(audit).toMatchObject([
    { ...by, action: 'put', at: start, detail: records([1, 'inProgress']) },
    { ...by, action: 'put', at: start + 10, detail: records([2, 'inProgress'], [1, 'terminated']) },
    { ...by, action: 'delete', at: start + 20, detail: records([2, 'activeButTerminating']) },
  ]);
  // What changed nothing is counted.
  expect(world.server.stats().responses.get('4.00')).toBe(1);
});

test('A-241 each status, and each cause and status of a conflict, survives the wire', () => {
  const conflicts = (Object.keys(CONFLICT_CAUSE_NUMBER) as ConflictCause[]).flatMap((cause) =>
    (Object.keys(CONFLICT_STATUS_NUMBER) as ConflictStatus[]).map((status) => ({ cause, status })),
  );
  // Of a collision nothing is told but that (S-146).
  const toldOf = ({ cause, status }: (typeof conflicts)[number]) =>
    cause === 'cuidCollision' ? { cause } : { cause, status };
  expect([Object.keys(STATUS_NUMBER).length, conflicts.length]).toEqual([8, 9]);
  for (const status of Object.keys(STATUS_NUMBER) as Status[])
    for (const conflict of conflicts) {
      const entry = {
        mid: mid(1),
        scope: { ...EMPTY_SCOPE, targetPrefixes: ['192.0.2.1/32'] },
        triggerMitigation: true,
        lifetimeSeconds: -1,
        status,
        conflict,
      };
      expect(decodeMitigationStatus(encodeMitigationStatus([entry]))).toMatchObject({
        ok: true,
        value: [{ status, conflict: toldOf(conflict), lifetimeSeconds: -1 }],
      });
    }
});

test('A-138 what is asked for at one node is known at another', async () => {
  const { store, clock } = world;
  const random = { fraction: () => 0, bytes: (length: number) => new Uint8Array(length) };
  const driver = new ManualDriver(clock);
  const second = createSignalServer({
    store,
    clock,
    random,
    driver,
    functions: {
      authorize: createAuthorizer({ store }),
      requestMitigation: createMitigationRequest({
        store,
        clock,
        random,
        resolver: { resolve: () => Promise.resolve(undefined) },
      }),
    },
    log: () => undefined,
    timers: { every: () => () => undefined },
  });
  const pair = new SecurePair({ identityId: ALICE });
  const there = new SignalClient(pair, driver, { settle: () => Promise.resolve(), nowMs: 0 });
  second.accept(pair.server);
  const answerThere = async (method: 'get' | 'delete'): Promise<Response> => {
    const exchange = there.send(method, mitigation(1));
    const [told] = await eventually(
      () => {
        pair.deliver();
        return Promise.resolve(there.told(exchange));
      },
      (answers) => answers.length > 0,
    );
    if (told === undefined) throw new Error('nothing told');
    return told.response;
  };

  const here = await world.connect(ALICE);
  await here.ask('put', mitigation(1), { payload: scopeBody() });
  const shown = entryOf(await here.answerTo('get', mitigation(1)));
  expect(entryOf(await answerThere('get'))).toEqual(shown);
  expect(codeOf(await answerThere('delete'))).toBe('2.02');
  expect(entryOf(await here.answerTo('get', mitigation(1))).status).toBe('activeButTerminating');
  await second.close();
});
