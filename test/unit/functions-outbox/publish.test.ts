/** From a commit to the commands of its mitigators. */
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import { DEFAULT_POLICY } from '#core/model/domain.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { MitigatorCommand } from '#core/ports/queue.ts';
import { createOutbox, drainOutbox, type Publish } from '#functions/outbox/app.ts';
import { followOutbox } from '#functions/outbox/follow.ts';
import { type ManualClock, manualClock } from '#test/support/manual-clock.ts';
import { CUID, DEMO, keyOf, makeDomain, makeMitigation, makeReport, mid } from '#test/support/records.ts';

let parts: SqliteParts;
let clock: ManualClock;
let publish: Publish;

beforeEach(async () => {
  clock = manualClock();
  parts = await openSqlite({ path: ':memory:', clock });
  publish = createOutbox({ store: parts.store, queue: parts.queue('commands') });
  await parts.store.putDomain(domainWith('edge', 'filter'));
});
afterEach(() => parts.close());

const domainWith = (...names: readonly string[]): ReturnType<typeof makeDomain> =>
  makeDomain({
    policy: { ...DEFAULT_POLICY, mitigators: names.map((name) => ({ name, profile: 'divert' })) },
  });

async function commit(...mitigations: readonly Mitigation[]): Promise<void> {
  const sv = (await parts.store.snapshot(DEMO))?.sv ?? 0;
  await parts.store.commit({ domainId: DEMO, expectedSv: sv, mitigations, audit: [] });
}

/** Takes every command out of the queue. */
async function commands(): Promise<MitigatorCommand[]> {
  const queue = parts.queue('commands');
  const all: MitigatorCommand[] = [];
  for (;;) {
    const deliveries = await queue.receive(10, 30, 0);
    if (deliveries.length === 0) return all;
    for (const { body, receipt } of deliveries) {
      all.push(JSON.parse(body) as MitigatorCommand);
      await queue.acknowledge(receipt);
    }
  }
}

const drain = (): Promise<number> => drainOutbox({ outbox: parts.outbox, publish });

test('a changed mitigation is a command to every mitigator of the plan', async () => {
  await commit(makeMitigation());
  expect(await drain()).toBe(1);
  expect(await commands()).toEqual([
    { domainId: DEMO, cuid: CUID, mid: 1, generation: 1, mitigator: 'edge' },
    { domainId: DEMO, cuid: CUID, mid: 1, generation: 1, mitigator: 'filter' },
  ]);
  expect(await drain()).toBe(0);
});

test('a refresh, whose generation stays, is none; one with nothing desired from the start neither', async () => {
  await commit(makeMitigation(), makeMitigation({ mid: mid(2), desired: 'absent', generation: 0 }));
  await drain();
  await commands();
  await commit(makeMitigation({ lifetimeSeconds: 7200 }));
  expect(await drain()).toBe(0);
  expect(await commands()).toEqual([]);
});

test('a mitigator that left the plan is still told while it holds something', async () => {
  await commit(makeMitigation());
  await parts.store.putReport(makeReport({ mitigator: 'filter' }));
  await parts.store.putReport(makeReport({ mitigator: 'old', state: 'removed' }));
  await parts.store.putDomain(domainWith('edge'));
  await drain();
  expect((await commands()).map(({ mitigator }) => mitigator)).toEqual(['edge', 'filter']);
});

test('entries that are published again, as after a crash, are in the queue once', async () => {
  await commit(makeMitigation());
  await publish(await parts.outbox.pending(10));
  await drain();
  expect(await commands()).toHaveLength(2);
});

test('a mid that is used again within five minutes is a command again', async () => {
  await commit(makeMitigation());
  await drain();
  await commit(makeMitigation({ desired: 'absent', generation: 2, removedAt: clock.epochSeconds() }));
  await drain();
  clock.advance(61);
  await parts.store.forget(keyOf(makeMitigation()));
  await commands();
  await commit(makeMitigation());
  await drain();
  expect(await commands()).toHaveLength(2);
});

test('a record that is gone by now needs no command', async () => {
  await publish([{ ...keyOf(makeMitigation({ mid: mid(9) })), id: 1, generation: 1 }]);
  expect(await commands()).toEqual([]);
});

test('more entries than one batch are all published, in order', async () => {
  for (let first = 0; first < 240; first += 80)
    await commit(...Array.from({ length: 80 }, (_, index) => makeMitigation({ mid: mid(first + index) })));
  expect(await drain()).toBe(240);
  const edge = (await commands()).filter(({ mitigator }) => mitigator === 'edge');
  expect(edge.map((command) => command.mid)).toEqual(Array.from({ length: 240 }, (_, index) => index));
});

test('following publishes what was left over and every later commit', async () => {
  await commit(makeMitigation());
  const queue = parts.queue('commands');
  const stop = followOutbox({ ...parts, publish, onError: fail });
  const first = await queue.receive(2, 30, 5);
  expect(first.map(({ group }) => group)).toEqual([`demo#${CUID}#1#edge`, `demo#${CUID}#1#filter`]);
  await commit(makeMitigation({ mid: mid(2) }));
  const second = await queue.receive(2, 30, 5);
  expect(second.map(({ group }) => group)).toEqual([`demo#${CUID}#2#edge`, `demo#${CUID}#2#filter`]);
  await stop();
  expect(await parts.outbox.pending(10)).toEqual([]);
});

test('a failure of the queue is told, keeps the entries, and is tried again', async () => {
  await commit(makeMitigation());
  const errors: unknown[] = [];
  const flaky: Publish = (entries) =>
    errors.length === 0 ? Promise.reject(new Error('queue away')) : publish(entries);
  const stop = followOutbox({ ...parts, publish: flaky, onError: (error) => errors.push(error) });
  const deliveries = await parts.queue('commands').receive(2, 30, 5);
  expect(deliveries).toHaveLength(2);
  expect(errors).toEqual([new Error('queue away')]);
  await stop();
});

const fail = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error));
};
