/** In the cloud the table's stream is the outbox: every change of a mitigation's generation is an entry of it. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { parseMitigationKey } from '#adapters/dynamodb/keys.ts';
import { type Item, readKey, readWhole } from '#adapters/dynamodb/marshal.ts';
import type { MitigationKey } from '#core/model/mitigation.ts';
import type { OutboxEntry } from '#core/ports/outbox.ts';
import type { Publish } from './app.ts';

/** A record of the stream, NEW_AND_OLD_IMAGES, as Lambda delivers it. */
export interface StreamRecord {
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: Record<string, AttributeValue>;
    /** Absent when the item was removed. */
    readonly NewImage?: Record<string, AttributeValue> | undefined;
    /** Absent when the item is new. */
    readonly OldImage?: Record<string, AttributeValue> | undefined;
  };
}

export interface StreamEvent {
  readonly Records: readonly StreamRecord[];
}

/** Lambda delivers the stream again from the first of these on. */
export interface StreamAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** The entry that a record stands for; undefined when no mitigator has to act. Its position is the domain's version. */
export function entryOfRecord({ dynamodb }: StreamRecord): OutboxEntry | undefined {
  const key = parseMitigationKey(readKey(dynamodb.Keys));
  if (key === undefined || dynamodb.NewImage === undefined) return undefined;
  const generation = readWhole(dynamodb.NewImage, 'generation');
  if (generationOf(dynamodb.OldImage) === generation) return undefined;
  return { ...(key as MitigationKey), generation, id: readWhole(dynamodb.NewImage, 'sv') };
}

/** A record that was not there counts as generation 0: what starts with nothing desired needs no mitigator. */
const generationOf = (image: Item | undefined): number =>
  image === undefined ? 0 : readWhole(image, 'generation');

/**
 * Publishes what a batch of the stream carries: at once, or record by record when that fails, so that the answer names the
 * first record that could not be published and nothing before it is delivered again.
 */
export async function publishStream(
  publish: Publish,
  { Records }: StreamEvent,
  onError: (error: unknown) => void,
): Promise<StreamAnswer> {
  const changes = Records.flatMap((record) => {
    const entry = entryOfRecord(record);
    return entry === undefined ? [] : [{ entry, itemIdentifier: record.dynamodb.SequenceNumber }];
  });
  try {
    await publish(changes.map(({ entry }) => entry));
    return { batchItemFailures: [] };
  } catch (error) {
    onError(error);
  }
  for (const { entry, itemIdentifier } of changes) {
    try {
      await publish([entry]);
    } catch (error) {
      onError(error);
      return { batchItemFailures: [{ itemIdentifier }] };
    }
  }
  return { batchItemFailures: [] };
}
