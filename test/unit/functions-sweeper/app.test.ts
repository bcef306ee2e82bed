import type { Mid } from '#core/model/identifiers.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import { createSweeper } from '#functions/sweeper/app.ts';
import { DEMO, type Provider, startProvider } from '#test/unit/functions-mitigation-request/provider.ts';
import { prefixes, put, requester } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');

let provider: Provider;
beforeEach(async () => {
  provider = await startProvider();
});
afterEach(() => provider.parts.close());

const sweeper = (): (() => Promise<number>) =>
  createSweeper({ store: provider.store, requestMitigation: provider.another(), clock: provider.clock });

const ask = (count: number): Promise<unknown> =>
  provider.ask(
    ...Array.from({ length: count }, (_, index) =>
      put(alice, index, prefixes(`2001:db8::${(index + 1).toString(16)}/128`), { lifetimeSeconds: 60 }),
    ),
  );

const records = (): ReturnType<Provider['store']['mitigations']> =>
  provider.store.mitigations(DEMO, alice.cuid);

test('nothing is due before its time', async () => {
  await ask(3);
  provider.clock.now += 59;
  expect(await sweeper()()).toBe(0);
});

test('S-092 all that is due is settled in one sweep, however much it is', async () => {
  await ask(333);
  provider.clock.now += 60;
  expect(await sweeper()()).toBe(100);
  expect((await records()).every((each) => each.status === 'terminated')).toBe(true);
});

test('a tombstone is deleted after its grace, once its mitigators have let go', async () => {
  await ask(2);
  provider.clock.now += 60;
  await sweeper()();
  const [settled] = await records();
  if (settled === undefined) throw new Error('no record');
  const report = { mitigator: 'edge', state: 'removed', actualTargets: [], updatedAt: 0 } as const;
  const { domainId, cuid, mid, generation } = settled;
  await provider.store.putReport({ domainId, cuid, mid, generation, ...report });
  await provider.store.putReport({ domainId, cuid, mid: 1 as Mid, generation, ...report, state: 'active' });
  provider.clock.now += 59;
  expect(await sweeper()()).toBe(0);
  provider.clock.now += 1;
  expect(await sweeper()()).toBe(2);
  expect((await records()).map((each) => each.mid)).toEqual([1]);
});

test('tombstones that cannot be forgotten yet do not hide what is due behind them', async () => {
  const stuck: MitigationKey[] = Array.from({ length: 250 }, (_, mid) => ({
    domainId: DEMO,
    cuid: alice.cuid,
    mid: mid as Mid,
  }));
  const last = { domainId: DEMO, cuid: alice.cuid, mid: 999 as Mid };
  const asked: string[] = [];
  const sweep = createSweeper({
    store: {
      due: (_now, limit) => Promise.resolve([...stuck, last].slice(0, limit)),
      forget: ({ mid }) => {
        asked.push(`forget ${mid}`);
        return Promise.resolve();
      },
    },
    requestMitigation: ({ commands }) =>
      Promise.resolve({ answers: commands.map(() => ({ result: 'done' })), sv: 1, at: 0 }),
    clock: provider.clock,
  });
  expect(await sweep()).toBe(251);
  expect(asked).toContain('forget 999');
  expect(asked).toHaveLength(251);
});

test('a domain that fails is reported after the others have been swept', async () => {
  const swept = new Set<string>();
  const key = (domainId: string): MitigationKey => ({
    domainId: domainId as MitigationKey['domainId'],
    cuid: alice.cuid,
    mid: 1 as Mid,
  });
  const sweep = createSweeper({
    store: { due: () => Promise.resolve([key('a'), key('b')]), forget: () => Promise.resolve() },
    requestMitigation: ({ domainId }) => {
      if (domainId === 'a') return Promise.reject(new Error('a is broken'));
      swept.add(domainId);
      return Promise.resolve({ answers: [], sv: 1, at: 0 });
    },
    clock: provider.clock,
  });
  await expect(sweep()).rejects.toThrow('some domains could not be swept');
  expect([...swept]).toEqual(['b']);
});
