import type { DomainId, Mid } from '#core/model/identifiers.ts';
import type { Commit, CommitResult, Store } from '#core/ports/store.ts';
import {
  codeOf,
  conflictOf,
  DUE,
  NOON,
  prefixes,
  put,
  requester,
  scopeOf,
  withdrawal,
} from '#test/unit/mitigation/fixtures.ts';
import { DEMO, type Provider, startProvider } from './provider.ts';

const alice = requester('alice');
const bob = requester('bob');

let provider: Provider;
beforeEach(async () => {
  provider = await startProvider();
});
afterEach(() => provider.parts.close());

const host = (number: number): ReturnType<typeof prefixes> => prefixes(`192.0.2.${number}/32`);
const mitigation = (client: typeof alice, mid: number): ReturnType<Store['mitigation']> =>
  provider.store.mitigation({ domainId: DEMO, cuid: client.cuid, mid: mid as Mid });

/** The store, with something done right before each commit. */
function before(commitment: (commit: Commit, nth: number) => Promise<CommitResult | undefined>): Store {
  let nth = 0;
  return {
    ...provider.store,
    commit: async (commit) => (await commitment(commit, nth++)) ?? provider.store.commit(commit),
  };
}

test('a batch is answered in order, by one commit', async () => {
  const { answers, sv, at } = await provider.ask(
    put(alice, 1, host(1)),
    put(alice, 2, host(2)),
    put(alice, 1, host(1)),
    put(alice, 3, prefixes('203.0.113.1/32')),
    withdrawal(alice, 2),
  );
  expect(answers.map(codeOf)).toEqual(['2.01', '2.01', '2.04', '4.00', '2.02']);
  expect({ sv, at }).toEqual({ sv: 1, at: NOON });
  expect(await mitigation(alice, 1)).toMatchObject({ status: 'inProgress', sv: 1, generation: 1 });
  expect(await mitigation(alice, 2)).toMatchObject({ status: 'activeButTerminating' });
  expect(await mitigation(alice, 3)).toBeUndefined();
  expect(await provider.parts.outbox.pending(10)).toHaveLength(2);
  expect(await provider.store.audit(DEMO, 10)).toHaveLength(4);
});

test('an identity that is unknown, revoked, or of another domain is refused, the rest of its batch is not', async () => {
  const { answers } = await provider.ask(
    put(requester('nobody'), 1, host(1)),
    put(requester('revoked'), 1, host(2)),
    put(requester('stranger'), 1, host(3)),
    withdrawal(requester('stranger'), 1),
    put(alice, 1, host(4)),
  );
  expect(answers.map((each) => (each.result === 'refused' ? each.refusal.code : each.result))).toEqual([
    'unauthorized',
    'unauthorized',
    'unauthorized',
    'unauthorized',
    'created',
  ]);
});

test('only a gateway speaks for a cdid', async () => {
  const { answers } = await provider.ask(
    put(requester('alice', 'id-of-alice', 'east'), 1, host(1)),
    put(requester('box', 'id-of-gateway', 'east'), 1, host(2)),
  );
  expect(answers.map((each) => each.result)).toEqual(['refused', 'created']);
});

test('S-407 a gateway speaks for the domain that its identity is registered for, and for no other', async () => {
  const box = requester('box', 'id-of-gateway', 'east');
  const commands = [put(box, 1, prefixes('203.0.113.1/32'))];
  const asGuest = await provider.another()({ domainId: 'other' as DomainId, commands });
  const atHome = await provider.ask(...commands);
  expect([...asGuest.answers, ...atHome.answers]).toMatchObject([
    { result: 'refused', refusal: { code: 'unauthorized' } },
    { result: 'refused', refusal: { code: 'not-owned' } },
  ]);
});

test('S-044 the audit shows the name that the registry has for the identity', async () => {
  await provider.ask(put(alice, 1, host(1)));
  expect(await provider.store.audit(DEMO, 1)).toMatchObject([
    { at: NOON, domainId: DEMO, actor: 'id-of-alice', action: 'put', detail: { name: 'alice' } },
  ]);
});

test('a domain that is not there refuses everything', async () => {
  const request = provider.another();
  const { answers } = await request({
    domainId: 'nowhere' as DomainId,
    commands: [put(alice, 1, host(1)), DUE],
  });
  expect(answers.map((each) => each.result)).toEqual(['refused', 'refused']);
});

test('S-057 a cuid that another domain’s client holds is a collision for that command alone', async () => {
  await provider.another()({
    domainId: 'other' as DomainId,
    commands: [put(requester('box', 'id-of-stranger'), 1, prefixes('203.0.113.1/32'))],
  });
  const { answers } = await provider.ask(
    put(alice, 1, host(1)),
    put(requester('box', 'id-of-bob'), 1, host(2)),
    put(bob, 1, host(3)),
  );
  expect(answers.map(codeOf)).toEqual(['2.01', '4.09', '2.01']);
  expect(answers.map(conflictOf)[1]).toEqual({ cause: 'cuidCollision' });
  expect(await provider.store.mitigations(DEMO, requester('box').cuid)).toEqual([]);
});

test('two processes see each other’s commits', async () => {
  const second = provider.another();
  await provider.ask(put(alice, 10, host(1)));
  const first = await second({ domainId: DEMO, commands: [put(alice, 9, host(1))] });
  expect(first.answers.map(codeOf)).toEqual(['4.09']);
  await second({ domainId: DEMO, commands: [withdrawal(alice, 10)] });
  expect((await provider.ask(put(alice, 9, host(1)))).answers.map(codeOf)).toEqual(['2.01']);
});

test('a lost lock is decided again upon what has changed', async () => {
  const racing = before(async (_commit, nth) => {
    if (nth === 0) await provider.ask(put(alice, 11, host(1)));
    return undefined;
  });
  const { answers } = await provider.another(racing)({
    domainId: DEMO,
    commands: [put(alice, 10, host(1)), put(bob, 1, host(2))],
  });
  expect(answers.map(codeOf)).toEqual(['4.09', '2.01']);
  expect(await mitigation(alice, 11)).toMatchObject({ status: 'inProgress' });
  expect(provider.pauses).toEqual([10]);
});

test('after so many lost locks the rest is 5.03, nothing is half done, and the next batch is fine', async () => {
  const busy = before((_commit, nth) =>
    Promise.resolve(nth < 6 ? { ok: false, reason: 'lock-lost' } : undefined),
  );
  const request = provider.another(busy);
  const event = { domainId: DEMO, commands: [put(alice, 1, host(1)), put(bob, 1, host(2))] };
  expect((await request(event)).answers.map(codeOf)).toEqual(['5.03', '5.03']);
  expect(provider.pauses).toHaveLength(5);
  expect(await mitigation(alice, 1)).toBeUndefined();
  expect((await request(event)).answers.map(codeOf)).toEqual(['2.01', '2.01']);
});

test('a store that fails rejects, and leaves no view behind that believes in the commit', async () => {
  const failing = before((_commit, nth) =>
    nth === 0 ? Promise.reject(new Error('the disk is full')) : Promise.resolve(undefined),
  );
  const request = provider.another(failing);
  const event = { domainId: DEMO, commands: [put(alice, 1, host(1))] };
  await expect(request(event)).rejects.toThrow('the disk is full');
  expect((await request(event)).answers.map(codeOf)).toEqual(['2.01']);
});

test('concurrent batches of one domain are settled one after another', async () => {
  const batches = await Promise.all(
    Array.from({ length: 20 }, (_, index) => provider.ask(put(alice, index, host(index)))),
  );
  expect(batches.flatMap(({ answers }) => answers.map(codeOf))).toEqual(new Array(20).fill('2.01'));
  expect(provider.pauses).toEqual([]);
});

test('a batch of more writes than one transaction takes is split', async () => {
  const sizes: number[] = [];
  const counting = before((commit) => {
    sizes.push(commit.mitigations.length);
    return Promise.resolve(undefined);
  });
  const commands = Array.from({ length: 200 }, (_, index) => put(alice, index, host(index)));
  const { answers, sv } = await provider.another(counting)({ domainId: DEMO, commands });
  expect(new Set(answers.map(codeOf))).toEqual(new Set(['2.01']));
  expect(sizes).toEqual([90, 90, 20]);
  expect(sv).toBe(3);
});

describe('one request that overrides 200', () => {
  beforeEach(async () => {
    await provider.ask(...Array.from({ length: 200 }, (_, index) => put(alice, index, host(index))));
  });
  const wide = put(alice, 1000, prefixes('192.0.2.0/24'));
  const active = async (): Promise<number[]> =>
    (await provider.store.mitigations(DEMO, alice.cuid))
      .filter((each) => each.removedAt === undefined)
      .map((each) => each.mid);

  test('is written first, then the overridden ones', async () => {
    const commits: number[][] = [];
    const watching = before((commit) => {
      commits.push(commit.mitigations.map((each) => each.mid));
      return Promise.resolve(undefined);
    });
    const { answers } = await provider.another(watching)({ domainId: DEMO, commands: [wide] });
    expect(answers.map(codeOf)).toEqual(['2.01']);
    expect(commits.map((each) => each.length)).toEqual([90, 90, 21]);
    expect(commits[0]?.[0]).toBe(1000);
    expect(await active()).toEqual([1000]);
  });

  test('is finished after a lock lost in between, without undoing what came in between', async () => {
    const racing = before(async (_commit, nth) => {
      if (nth === 1)
        await provider.ask(put(alice, 2000, prefixes('198.51.100.1/32')), withdrawal(alice, 199));
      return undefined;
    });
    const { answers } = await provider.another(racing)({ domainId: DEMO, commands: [wide] });
    expect(answers.map(codeOf)).toEqual(['2.01']);
    expect(await active()).toEqual([199, 1000, 2000]);
    expect(await mitigation(alice, 199)).toMatchObject({ status: 'activeButTerminating' });
  });

  test('is finished by its refresh after a crash in between', async () => {
    const crashing = before((_commit, nth) =>
      nth === 1 ? Promise.reject(new Error('power cut')) : Promise.resolve(undefined),
    );
    await expect(provider.another(crashing)({ domainId: DEMO, commands: [wide] })).rejects.toThrow();
    expect((await active()).length).toBe(112);
    expect((await provider.ask(wide)).answers.map(codeOf)).toEqual(['2.04']);
    expect(await active()).toEqual([1000]);
  });
});

test('names are resolved before the decision, each once, and only the domain’s own', async () => {
  const asked: string[] = [];
  const resolver = {
    resolve: (name: string) => {
      asked.push(name);
      return Promise.resolve({ prefixes: ['192.0.2.7/32'], ttlSeconds: 60 });
    },
  };
  const request = provider.another(provider.store, resolver);
  const named = put(
    alice,
    1,
    scopeOf({ targetFqdns: ['demo.example'], targetUris: ['https://demo.example/'] }),
  );
  const { answers } = await request({
    domainId: DEMO,
    commands: [named, put(bob, 1, scopeOf({ targetFqdns: ['www.other.example'] }))],
  });
  expect(answers.map(codeOf)).toEqual(['2.01', '4.00']);
  expect(asked).toEqual(['demo.example']);
  await request({ domainId: DEMO, commands: [named] });
  expect(asked).toEqual(['demo.example']);
  const again = await request({ domainId: DEMO, commands: [withdrawal(alice, 1), named] });
  expect(again.answers.map(codeOf)).toEqual(['2.02', '2.01']);
});

test('a name that waits holds up nobody else in the domain', async () => {
  let answer: (() => void) | undefined;
  const slow = new Promise<undefined>((resolve) => {
    answer = () => resolve(undefined);
  });
  const request = provider.another(provider.store, { resolve: () => slow });
  const waiting = request({
    domainId: DEMO,
    commands: [put(alice, 1, scopeOf({ targetFqdns: ['demo.example'] }))],
  });
  const other = await request({ domainId: DEMO, commands: [put(bob, 1, host(1))] });
  expect(other.answers.map(codeOf)).toEqual(['2.01']);
  answer?.();
  expect((await waiting).answers.map(codeOf)).toEqual(['4.00']);
});

test('a tombstone is forgotten by the view when the store forgets it, and its mid starts over', async () => {
  await provider.ask(put(alice, 1, host(1), { lifetimeSeconds: 10 }));
  provider.clock.now += 10;
  await provider.ask(DUE);
  provider.clock.now += 60;
  const key = { domainId: DEMO, cuid: alice.cuid, mid: 1 as Mid };
  await provider.store.putReport({
    ...key,
    mitigator: 'edge',
    generation: 2,
    state: 'removed',
    actualTargets: [],
    updatedAt: provider.clock.now,
  });
  await provider.store.forget(key);
  expect(await mitigation(alice, 1)).toBeUndefined();
  expect((await provider.ask(put(alice, 1, host(1)))).answers.map(codeOf)).toEqual(['2.01']);
  expect(await mitigation(alice, 1)).toMatchObject({ generation: 3 });
});
