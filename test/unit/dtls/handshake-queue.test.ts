import { HandshakeQueue, sliceBudget } from '#adapters/dtls/handshake-queue.ts';

/** A queue whose clock moves `cost` ms with every item, and whose slices run when the test says, `elsewhereMs` later. */
function makeQueue(cost: number): {
  queue: HandshakeQueue<string>;
  done: string[];
  slice: (elsewhereMs?: number) => number;
} {
  const done: string[] = [];
  const slices: (() => void)[] = [];
  let now = 0;
  const queue = new HandshakeQueue<string>(
    (item) => {
      if (item === 'throws') throw new Error('boom');
      now += cost;
      done.push(item);
    },
    () => now,
    (slice) => slices.push(slice),
  );
  const slice = (elsewhereMs = 10): number => {
    const before = done.length;
    now += elsewhereMs;
    slices.shift()?.();
    return done.length - before;
  };
  return { queue, done, slice };
}

test('works off in order, taking turns between the lanes', () => {
  const { queue, done, slice } = makeQueue(0);
  for (const item of ['r1', 'r2']) queue.push('returning', item);
  for (const item of ['f1', 'f2', 'f3']) queue.push('first', item);
  expect(done).toEqual([]);
  slice();
  expect(done).toEqual(['r1', 'f1', 'r2', 'f2', 'f3']);
});

test('a slice ends after its time, and the rest waits for the next', () => {
  const { queue, slice } = makeQueue(2);
  for (let count = 0; count < 10; count++) queue.push('first', `${count}`);
  expect([slice(), slice(), slice(), slice(), slice()]).toEqual([3, 3, 3, 1, 0]);
});

test('strangers get no more time than everything else took since their last turn', () => {
  const { queue, slice } = makeQueue(1);
  for (let count = 0; count < 20; count++) queue.push('first', `${count}`);
  expect([slice(2), slice(3), slice(0), slice(1000)]).toEqual([2, 3, 1, 5]);
  expect([0, 0.7, 3, 400].map(sliceBudget)).toEqual([0.2, 0.7, 3, 5]);
});

test('a full lane takes no more and does not fill the other', () => {
  const { queue } = makeQueue(0);
  let taken = 0;
  while (queue.push('first', 'x')) taken++;
  expect(taken).toBe(2048);
  expect(queue.length).toBe(2048);
  expect(queue.push('returning', 'y')).toBe(true);
  queue.clear();
  expect(queue.length).toBe(0);
});

test('an item that throws does not stop those behind it', () => {
  const { queue, done, slice } = makeQueue(0);
  for (const item of ['throws', 'next']) queue.push('first', item);
  expect(() => slice()).toThrow('boom');
  slice();
  expect(done).toEqual(['next']);
});
