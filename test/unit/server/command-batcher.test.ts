/** One invocation in flight per domain; answers find their way back; failures are answers. */
import { CommandBatcher } from '#agent-edge/server/command-batcher.ts';
import type { SignalEvent } from '#agent-edge/server/signal-event.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { DeleteCommand } from '#core/mitigation/command.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import type { MitigationRequestEvent } from '#core/ports/mitigation-request.ts';
import { CUID, DEMO, IDENTITY, mid, OTHER } from '#test/support/records.ts';

const command = (number: number): DeleteCommand => ({
  type: 'delete',
  requester: { identityId: IDENTITY, cuid: CUID, source: 'client' },
  mid: mid(number),
});

interface Invocation {
  readonly event: MitigationRequestEvent;
  answer(answers: readonly Answer[]): void;
  fail(error: Error): void;
}

function batching() {
  const invocations: Invocation[] = [];
  const events: SignalEvent[] = [];
  const settled: DomainId[] = [];
  const batcher = new CommandBatcher({
    functions: {
      requestMitigation: (event) =>
        new Promise((resolve, reject) => {
          invocations.push({
            event,
            answer: (answers) => resolve({ answers, sv: 1, at: 0 }),
            fail: reject,
          });
        }),
    },
    log: (event) => events.push(event),
    settled: (domainId) => settled.push(domainId),
  });
  return { batcher, invocations, events, settled };
}

const created = (number: number): Answer => ({ result: 'created', mid: mid(number), lifetimeSeconds: 60 });
const midsOf = ({ event }: Invocation): unknown[] =>
  event.commands.map((each) => (each.type === 'delete' ? each.mid : each.type));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes during an invocation goes together in the next, in order, and every answer to its own', async () => {
  const { batcher, invocations, settled } = batching();
  const answers = [1, 2, 3].map((number) => batcher.submit(DEMO, command(number)));
  await turn();
  expect(invocations.map(midsOf)).toEqual([[1]]);
  expect(batcher.waiting).toBe(3);
  invocations[0]?.answer([created(1)]);
  await turn();
  expect(invocations.map(midsOf)).toEqual([[1], [2, 3]]);
  invocations[1]?.answer([created(2), { result: 'deleted' }]);
  expect(await Promise.all(answers)).toEqual([created(1), created(2), { result: 'deleted' }]);
  await batcher.close();
  expect([settled, batcher.waiting]).toEqual([[DEMO, DEMO], 0]);
});

test('domains do not wait for each other', async () => {
  const { batcher, invocations } = batching();
  void batcher.submit(DEMO, command(1));
  void batcher.submit(OTHER, command(2));
  await turn();
  expect(invocations.map(midsOf)).toEqual([[1], [2]]);
});

test.each([
  ['fails', (invocation: Invocation) => invocation.fail(new Error('throttled'))],
  ['answers too little', (invocation: Invocation) => invocation.answer([])],
])(
  'a function that %s makes everything of that batch unavailable, is logged, and the next batch goes on',
  async (_, end) => {
    const { batcher, invocations, events } = batching();
    const first = batcher.submit(DEMO, command(1));
    const second = batcher.submit(DEMO, command(2));
    for (const invocation of invocations) end(invocation);
    expect(await first).toMatchObject({ result: 'refused', refusal: { code: 'unavailable' } });
    await turn();
    invocations[1]?.answer([created(2)]);
    expect(await second).toEqual(created(2));
    expect(events).toMatchObject([{ event: 'commands-failed', domainId: DEMO, commands: 1 }]);
  },
);

test('a burst is cut into batches of a hundred', async () => {
  const { batcher, invocations } = batching();
  const answers = Array.from({ length: 251 }, (_, index) => batcher.submit(DEMO, command(index)));
  for (let done = 0; done < 4; done++) {
    await turn();
    const invocation = invocations[done];
    invocation?.answer(invocation.event.commands.map(() => ({ result: 'deleted' })));
  }
  await Promise.all(answers);
  expect(invocations.map(({ event }) => event.commands.length)).toEqual([1, 100, 100, 50]);
});

test('closing waits for what was submitted and takes nothing more', async () => {
  const { batcher, invocations } = batching();
  const before = batcher.submit(DEMO, command(1));
  let closed = false;
  const closing = batcher.close().then(() => {
    closed = true;
  });
  expect(await batcher.submit(DEMO, command(2))).toMatchObject({ refusal: { code: 'unavailable' } });
  expect(closed).toBe(false);
  invocations[0]?.answer([created(1)]);
  await closing;
  expect(await before).toEqual(created(1));
  expect(invocations).toHaveLength(1);
});
