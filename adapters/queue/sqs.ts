/** The queue in the cloud: SQS FIFO. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Delivery, Queue, QueueMessage } from '#core/ports/queue.ts';
import { StoreError } from '../store/store-error.ts';

export interface SqsOptions {
  /** Stays the caller's: `close` leaves it open. */
  readonly client: SQSClient;
  readonly queueUrl: string;
}

/** A batch carries at most ten messages and 256 KiB together. */
const LARGEST_BATCH = 10;
const LARGEST_BYTES = 256 * 1024;
const LONGEST_WAIT_SECONDS = 20;
const SEND_ATTEMPTS = 5;
const FIRST_DELAY_MS = 50;

/** Calls reject with a StoreError, or as the SDK does when the queue cannot be reached. */
export function createSqsQueue({ client, queueUrl }: SqsOptions): Queue {
  const closing = new AbortController();

  /** What SQS took of a batch stays taken; the rest is sent again, and may come after a later one of its group. */
  const sendBatch = async (batch: readonly QueueMessage[]): Promise<void> => {
    let left: SendMessageBatchRequestEntry[] = batch.map(entryOf);
    for (let attempt = 1; ; attempt++) {
      const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left }));
      const failed = answer.Failed ?? [];
      if (failed.length === 0) return;
      const refused = failed.find(({ SenderFault }) => SenderFault === true);
      if (refused !== undefined || attempt === SEND_ATTEMPTS) throw notSent(refused ?? failed[0]);
      const ids = new Set(failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => ids.has(Id));
      await pause(FIRST_DELAY_MS * 2 ** attempt);
    }
  };

  return {
    async send(messages) {
      for (const batch of batchesOf(messages)) await sendBatch(batch);
    },

    async receive(limit, visibilitySeconds, waitSeconds) {
      if (closing.signal.aborted) return [];
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(limit, LARGEST_BATCH),
        VisibilityTimeout: visibilitySeconds,
        WaitTimeSeconds: Math.min(Math.ceil(waitSeconds), LONGEST_WAIT_SECONDS),
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId'],
      });
      try {
        const answer = await client.send(command, { abortSignal: closing.signal });
        return (answer.Messages ?? []).map(deliveryOf);
      } catch (error) {
        // `close` ends a wait; messages that were on the way become visible again by themselves.
        if (isClosed(closing)) return [];
        throw error;
      }
    },

    async acknowledge(receipt) {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }));
    },

    async release(receipt, delaySeconds) {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: receipt,
          VisibilityTimeout: delaySeconds,
        }),
      );
    },

    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

const isClosed = (closing: AbortController): boolean => closing.signal.aborted;

/** Cut where ten messages or 256 KiB are reached, in order. */
function batchesOf(messages: readonly QueueMessage[]): QueueMessage[][] {
  const batches: QueueMessage[][] = [];
  let bytes = LARGEST_BYTES;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body);
    if (size > LARGEST_BYTES) throw new RangeError(`a message of more than ${LARGEST_BYTES} bytes`);
    const last = batches.at(-1);
    if (last === undefined || last.length === LARGEST_BATCH || bytes + size > LARGEST_BYTES) {
      batches.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return batches;
}

function entryOf(message: QueueMessage, index: number): SendMessageBatchRequestEntry {
  return {
    Id: `${index}`,
    MessageBody: message.body,
    MessageGroupId: asId(message.group),
    MessageDeduplicationId: asId(message.deduplicationId),
  };
}

/** SQS takes at most 128 letters, digits and ASCII punctuation; anything else becomes its SHA-256, one for one. */
function asId(text: string): string {
  return /^[\x21-\x7e]{1,128}$/.test(text)
    ? text
    : `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}

function deliveryOf({ Body, ReceiptHandle, Attributes }: Message): Delivery {
  if (Body === undefined || ReceiptHandle === undefined || Attributes?.MessageGroupId === undefined)
    throw new StoreError(
      'failed',
      'SQS delivered a message without body, receipt or group: is the queue FIFO?',
    );
  return {
    body: Body,
    group: Attributes.MessageGroupId,
    attempt: Number(Attributes.ApproximateReceiveCount ?? 1),
    receipt: ReceiptHandle,
  };
}

function notSent(
  failure: { readonly Code?: string | undefined; readonly Message?: string | undefined } = {},
): StoreError {
  return new StoreError(
    'failed',
    `SQS did not take a message (${failure.Code ?? 'no code'}: ${failure.Message ?? 'no message'}): the sender keeps it and tries again`,
  );
}
