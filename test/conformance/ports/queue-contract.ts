/** What every FIFO queue has to keep, whatever it is made of. */
import type { Delivery, Queue, QueueMessage } from '#core/ports/queue.ts';

export interface OpenedQueue {
  readonly queue: Queue;
  /** Lets that many seconds pass for the queue. */
  readonly pass: (seconds: number) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Long enough for a test, short enough to see a message again. */
const VISIBILITY_SECONDS = 2;

export function describeQueue(name: string, open: () => Promise<OpenedQueue>): void {
  describe(`queue contract: ${name}`, () => {
    let opened: OpenedQueue;
    let queue: Queue;
    beforeEach(async () => {
      opened = await open();
      queue = opened.queue;
    });
    afterEach(async () => {
      await queue.close();
      await opened.end();
    });

    const receive = (limit = 10, visibilitySeconds = 30): Promise<readonly Delivery[]> =>
      queue.receive(limit, visibilitySeconds, 0);
    const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ body }) => body);

    /** Receives and acknowledges until nothing comes any more. */
    const drain = async (): Promise<string[]> => {
      const all: string[] = [];
      for (;;) {
        const deliveries = await receive();
        if (deliveries.length === 0) return all;
        for (const { body, receipt } of deliveries) {
          all.push(body);
          await queue.acknowledge(receipt);
        }
      }
    };

    test('delivers the messages of a group in order, each once', async () => {
      await queue.send(Array.from({ length: 25 }, (_, index) => message('g', index)));
      expect(await drain()).toEqual(Array.from({ length: 25 }, (_, index) => `${index}`));
      expect(await receive()).toEqual([]);
    });

    test('says body, group and attempt', async () => {
      await queue.send([{ group: 'demo#c#1#edge', deduplicationId: '1', body: '{"mid":1}' }]);
      const [delivery] = await receive();
      expect(delivery).toMatchObject({ group: 'demo#c#1#edge', body: '{"mid":1}', attempt: 1 });
    });

    test('holds the rest of a group back while one of it is out, and lets other groups pass', async () => {
      await queue.send([message('g', 1), message('g', 2), message('h', 3)]);
      const [first] = await receive(1);
      expect(first?.body).toBe('1');
      expect(bodies(await receive())).toEqual(['3']);
      expect(await receive()).toEqual([]);
      await queue.acknowledge(first?.receipt ?? '');
      expect(bodies(await receive())).toEqual(['2']);
    });

    test('delivers again, first of its group, what was not acknowledged in time', async () => {
      await queue.send([message('g', 1), message('g', 2)]);
      const [first] = await receive(1, VISIBILITY_SECONDS);
      expect(await receive()).toEqual([]);
      await opened.pass(VISIBILITY_SECONDS);
      const [again] = await receive(1);
      expect(again?.body).toBe('1');
      expect(again?.attempt).toBe((first?.attempt ?? 0) + 1);
    }, 20_000);

    test('delivers again after the delay of a release', async () => {
      await queue.send([message('g', 1)]);
      const [first] = await receive();
      await queue.release(first?.receipt ?? '', VISIBILITY_SECONDS);
      expect(await receive()).toEqual([]);
      await opened.pass(VISIBILITY_SECONDS);
      const [again] = await receive();
      expect(again?.body).toBe('1');
      await queue.release(again?.receipt ?? '', 0);
      expect(bodies(await receive())).toEqual(['1']);
    }, 20_000);

    test('takes the same deduplication id once, also after it was acknowledged', async () => {
      await queue.send([message('g', 1), message('g', 1)]);
      await queue.send([{ ...message('g', 1), body: 'other body' }]);
      expect(await drain()).toEqual(['1']);
      await queue.send([message('g', 1), message('g', 2)]);
      expect(await drain()).toEqual(['2']);
    });

    test('takes groups and ids of any length and alphabet', async () => {
      const group = `demo#${'ü'.repeat(120)}#4294967295#edge`;
      await queue.send([
        { group, deduplicationId: `${group}#1`, body: 'first' },
        { group, deduplicationId: `${group}#2`, body: 'second' },
        { group: `${group}x`, deduplicationId: `${group}#2x`, body: 'third' },
      ]);
      expect((await drain()).sort()).toEqual(['first', 'second', 'third']);
    });

    test('refuses a body that no queue carries, and sends nothing of that call', async () => {
      const large = { ...message('g', 1), body: 'x'.repeat(256 * 1024 + 1) };
      await expect(queue.send([message('g', 0), large])).rejects.toThrow('bytes');
      expect(await receive()).toEqual([]);
    });

    test('sends large bodies together', async () => {
      const large = Array.from({ length: 3 }, (_, index) => ({
        ...message(`g${index}`, index),
        body: `${index}`.repeat(200 * 1024),
      }));
      await queue.send(large);
      expect((await drain()).map((body) => body.length)).toEqual([204_800, 204_800, 204_800]);
    });

    test('wakes a receiver that waits', async () => {
      const waiting = queue.receive(10, 30, 10);
      await queue.send([message('g', 1)]);
      expect(bodies(await waiting)).toEqual(['1']);
    }, 20_000);

    test('ends the wait of a receiver when it is closed', async () => {
      const waiting = queue.receive(10, 30, 20);
      await queue.close();
      expect(await waiting).toEqual([]);
    }, 10_000);
  });
}

function message(group: string, number: number): QueueMessage {
  return { group, deduplicationId: `${group}.${number}`, body: `${number}` };
}
