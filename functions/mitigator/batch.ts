/** A batch of the FIFO queue: groups side by side, each in its order, and a partial answer for what has to come again. */
import { z } from 'zod';
import type { MitigatorCommand, Queue } from '#core/ports/queue.ts';
import type { Handled } from './app.ts';

/** As Lambda delivers it. */
export interface BatchRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly MessageGroupId?: string };
}

export interface BatchEvent {
  readonly Records: readonly BatchRecord[];
}

export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface BatchDeps {
  handle(command: MitigatorCommand): Promise<Handled>;
  /** Says when a message that has to come again may. */
  readonly release: Queue['release'];
  readonly onError: (error: unknown) => void;
}

const commandSchema = z.object({
  domainId: z.string(),
  cuid: z.string(),
  mid: z.int(),
  generation: z.int(),
  mitigator: z.string(),
});

/** What was not settled is delivered again; behind it in its group nothing is touched, or the order would be lost. */
export async function handleBatch(deps: BatchDeps, { Records }: BatchEvent): Promise<BatchAnswer> {
  const groups = Map.groupBy(Records, ({ attributes, messageId }) => attributes.MessageGroupId ?? messageId);
  const unsettled = await Promise.all([...groups.values()].map((group) => settleGroup(deps, group)));
  return { batchItemFailures: unsettled.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

async function settleGroup(deps: BatchDeps, group: readonly BatchRecord[]): Promise<readonly string[]> {
  for (const [index, record] of group.entries()) {
    if (await isSettled(deps, record)) continue;
    return group.slice(index).map(({ messageId }) => messageId);
  }
  return [];
}

async function isSettled(deps: BatchDeps, { body, receiptHandle }: BatchRecord): Promise<boolean> {
  try {
    const outcome = await deps.handle(commandSchema.parse(JSON.parse(body)));
    if (outcome === 'done') return true;
    await deps.release(receiptHandle, outcome.retryAfterSeconds);
  } catch (error) {
    deps.onError(error);
  }
  return false;
}
