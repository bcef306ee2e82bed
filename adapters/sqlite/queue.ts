/** The queue on one machine: the same file as the store's, woken by every send. */
import type { Clock } from '#core/ports/clock.ts';
import type { Queue } from '#core/ports/queue.ts';
import { StoreError } from '../store/store-error.ts';
import type { Connection } from './connection.ts';

/** As SQS: what goes through here goes through there. */
const LARGEST_BODY = 256 * 1024;

export function createQueue(connection: Connection, name: string, clock: Clock): Queue {
  const wakers = new Set<() => void>();
  let orphansReleased: Promise<unknown> | undefined;
  let closed = false;

  return {
    async send(messages) {
      for (const { body } of messages)
        if (Buffer.byteLength(body) > LARGEST_BODY)
          throw new RangeError(`a message of more than ${LARGEST_BODY} bytes`);
      const rows = messages.map(({ group, deduplicationId, body }) => ({ group, deduplicationId, body }));
      await connection.call('send', name, rows, clock.epochSeconds());
    },

    async receive(limit, visibilitySeconds, waitSeconds) {
      const deadline = performance.now() + waitSeconds * 1000;
      orphansReleased ??= connection.call('releaseAll', name, clock.epochSeconds());
      try {
        await orphansReleased;
      } catch (error) {
        orphansReleased = undefined;
        throw error;
      }
      while (!(closed || connection.closed)) {
        // Listening starts before looking, so that nothing sent in between is missed.
        const news = listen(connection, wakers);
        try {
          const now = clock.epochSeconds();
          const found = await connection.call('receive', name, limit, now, now + visibilitySeconds);
          const left = deadline - performance.now();
          if (found.deliveries.length > 0 || left <= 0) return found.deliveries;
          await news.within(Math.min(left, millisecondsUntil(found.nextVisibleAt, now)));
        } finally {
          news.stop();
        }
      }
      return [];
    },

    async acknowledge(receipt) {
      await connection.call('acknowledge', name, ...parseReceipt(receipt));
    },

    async release(receipt, delaySeconds) {
      await connection.call('release', name, ...parseReceipt(receipt), clock.epochSeconds() + delaySeconds);
    },

    close() {
      closed = true;
      for (const wake of wakers) wake();
      return Promise.resolve();
    },
  };
}

interface News {
  /** Resolves when the queue has changed or is closed, at the latest after that many milliseconds. */
  within(milliseconds: number): Promise<void>;
  stop(): void;
}

function listen(connection: Connection, wakers: Set<() => void>): News {
  let wake = (): void => undefined;
  const changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const unsubscribe = connection.subscribe('queue', wake);
  wakers.add(wake);
  let timer: NodeJS.Timeout | undefined;
  return {
    within(milliseconds) {
      timer = setTimeout(wake, milliseconds);
      return changed;
    },
    stop() {
      clearTimeout(timer);
      unsubscribe();
      wakers.delete(wake);
    },
  };
}

/** The clock counts whole seconds: a message becomes visible when its second has begun. */
function millisecondsUntil(visibleAt: number | undefined, now: number): number {
  return visibleAt === undefined ? Number.POSITIVE_INFINITY : Math.max(1, visibleAt - now) * 1000;
}

function parseReceipt(receipt: string): [id: number, attempt: number] {
  const match = /^(\d+)\.(\d+)$/.exec(receipt);
  if (match === null) throw new StoreError('failed', `not a receipt of this queue: ${receipt}`);
  return [Number(match[1]), Number(match[2])];
}
