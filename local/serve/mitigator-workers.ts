/** Hands each mitigator its commands: a queue and a loop of its own, so that a slow device delays no other's. */
import type { Delivery, MitigatorCommand, Queue, QueueMessage } from '#core/ports/queue.ts';

export interface MitigatorWorkersDeps {
  readonly names: readonly string[];
  queue(name: string): Queue;
  handle(command: MitigatorCommand): Promise<'done' | { readonly retryAfterSeconds: number }>;
  onError(mitigator: string, error: unknown): void;
}

export interface MitigatorWorkers {
  /** Sorts commands into the queues of their mitigators. */
  readonly queue: Pick<Queue, 'send'>;
  stop(): Promise<void>;
}

const BATCH = 16;
/** Longer than a device may take for a whole batch; after that it is delivered again. */
const VISIBILITY_SECONDS = 120;
const WAIT_SECONDS = 20;
const LONGEST_BACK_OFF_SECONDS = 60;
const PAUSE_AFTER_FAILURE_MS = 1000;

export function startMitigatorWorkers(deps: MitigatorWorkersDeps): MitigatorWorkers {
  const workers = new Map<string, Worker>();
  const workerOf = (name: string): Worker => {
    const running = workers.get(name);
    if (running !== undefined) return running;
    const worker = startWorker(name, deps);
    workers.set(name, worker);
    return worker;
  };
  for (const name of deps.names) workerOf(name);
  return {
    queue: {
      send: async (messages) => {
        // A name that the configuration has lost may still hold something: its commands are settled too.
        for (const [name, own] of Map.groupBy(messages, mitigatorOf)) await workerOf(name).queue.send(own);
      },
    },
    stop: async () => {
      await Promise.all([...workers.values()].map((worker) => worker.stop()));
    },
  };
}

const mitigatorOf = ({ body }: QueueMessage): string => (JSON.parse(body) as MitigatorCommand).mitigator;

interface Worker {
  readonly queue: Queue;
  stop(): Promise<void>;
}

function startWorker(name: string, deps: MitigatorWorkersDeps): Worker {
  const queue = deps.queue(`mitigator-${name}`);
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const deliveries = await queue.receive(BATCH, VISIBILITY_SECONDS, WAIT_SECONDS);
        await Promise.all(deliveries.map((delivery) => settle(queue, delivery, name, deps)));
      } catch (error) {
        deps.onError(name, error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAILURE_MS));
      }
    }
  };
  const working = work();
  return {
    queue,
    stop: async () => {
      stopping.abort();
      await queue.close();
      await working;
    },
  };
}

/** A device that fails is asked again, ever more slowly; the command stays in the queue meanwhile. */
async function settle(
  queue: Queue,
  { body, receipt, attempt }: Delivery,
  name: string,
  deps: MitigatorWorkersDeps,
): Promise<void> {
  const outcome = await deps.handle(JSON.parse(body) as MitigatorCommand).catch((error: unknown) => {
    deps.onError(name, error);
    return { retryAfterSeconds: Math.min(2 ** attempt, LONGEST_BACK_OFF_SECONDS) };
  });
  if (outcome === 'done') await queue.acknowledge(receipt);
  else await queue.release(receipt, outcome.retryAfterSeconds);
}
