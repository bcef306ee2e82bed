import { DueIndex } from '#core/mitigation/due-index.ts';
import { DUE, prefixes, put, requester, World } from './fixtures.ts';

test('what is due, whatever the order of arrival', () => {
  const index = new DueIndex();
  const times = [50, 10, 40, 10, 30, 20, 60, 5];
  times.forEach((at, number) => index.add({ at, holder: `#${number}` }));
  const upTo = (now: number): number[] =>
    index
      .upTo(now)
      .map(({ at }) => at)
      .sort((left, right) => left - right);
  expect(upTo(4)).toEqual([]);
  expect(upTo(20)).toEqual([5, 10, 10, 20]);
  expect(upTo(100)).toEqual([...times].sort((left, right) => left - right));
  index.rebuild([
    { at: 9, holder: 'b' },
    { at: 3, holder: 'a' },
  ]);
  expect(upTo(5)).toEqual([3]);
  expect(index.size).toBe(2);
});

test('refreshes leave neither stale dues nor a heap that grows', () => {
  const world = new World();
  const alice = requester('alice');
  for (let refresh = 0; refresh < 1000; refresh++) {
    world.ask(put(alice, 1, prefixes('192.0.2.1/32'), { lifetimeSeconds: 60 }));
    world.now += 1;
  }
  world.now += 58;
  const before = world.view.cost.probes;
  world.ask(DUE);
  expect(world.last?.writes).toEqual([]);
  expect(world.view.cost.probes - before).toBeLessThan(100);
  world.pass(1);
  expect(world.record(alice, 1).status).toBe('terminated');
});
