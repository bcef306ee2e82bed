/** The few calls the store makes of DynamoDB, each to its end: pages, unprocessed keys, conflicts and throttling. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { StoreError } from '../store/store-error.ts';
import type { ItemKey } from './keys.ts';
import { type Item, keyItem, readKey } from './marshal.ts';

/** BatchGetItem carries at most this many keys. */
const LARGEST_BATCH = 100;
/** TransactWriteItems carries at most this many items. */
export const LARGEST_TRANSACTION = 100;

const ATTEMPTS = 8;
const FIRST_DELAY_MS = 25;
const LONGEST_DELAY_MS = 1_000;

/** What DynamoDB says of an item of a cancelled transaction when trying again may help. */
const PASSING = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
/** Errors of a whole call that mean: more than the table takes now. The SDK has tried again before we see them. */
const THROTTLED = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'TransactionInProgressException',
]);

export interface TableClientOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Uniform in [0, 1): spreads repeated attempts. */
  readonly fraction: () => number;
}

export interface QueryOptions {
  readonly index?: string;
  readonly condition: string;
  readonly values: Item;
  readonly descending?: boolean;
}

export class TableClient {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #fraction: () => number;

  constructor({ client, tableName, fraction }: TableClientOptions) {
    this.#client = client;
    this.#tableName = tableName;
    this.#fraction = fraction;
  }

  /** Strongly consistent. */
  async get(key: ItemKey): Promise<Item | undefined> {
    const command = new GetItemCommand({
      TableName: this.#tableName,
      Key: keyItem(key),
      ConsistentRead: true,
    });
    return (await explained(this.#client.send(command))).Item;
  }

  /** Strongly consistent; absent items are left out, the order is that of the keys. */
  async getMany(keys: readonly ItemKey[]): Promise<Item[]> {
    const found = new Map<string, Item>();
    const distinct = [...new Map(keys.map((key) => [textOf(key), key])).values()];
    for (let start = 0; start < distinct.length; start += LARGEST_BATCH)
      for (const item of await this.#getBatch(distinct.slice(start, start + LARGEST_BATCH)))
        found.set(textOf(readKey(item)), item);
    return distinct.flatMap((key) => {
      const item = found.get(textOf(key));
      return item === undefined ? [] : [item];
    });
  }

  async #getBatch(keys: readonly ItemKey[]): Promise<Item[]> {
    const items: Item[] = [];
    let wanted = keys.map(keyItem);
    for (let attempt = 0; wanted.length > 0; attempt++) {
      if (attempt > 0) await this.#backOff(attempt, undefined);
      const command = new BatchGetItemCommand({
        RequestItems: { [this.#tableName]: { Keys: wanted, ConsistentRead: true } },
      });
      const answer = await explained(this.#client.send(command));
      items.push(...(answer.Responses?.[this.#tableName] ?? []));
      wanted = answer.UnprocessedKeys?.[this.#tableName]?.Keys ?? [];
    }
    return items;
  }

  /** All pages, one after another; strongly consistent except on global indexes, which cannot be. */
  async *query({ index, condition, values, descending = false }: QueryOptions): AsyncGenerator<Item> {
    const input: QueryCommandInput = {
      TableName: this.#tableName,
      KeyConditionExpression: condition,
      ExpressionAttributeValues: values,
      ScanIndexForward: !descending,
      ConsistentRead: index?.startsWith('GSI') !== true,
      ...(index !== undefined && { IndexName: index }),
    };
    let start: Item | undefined;
    do {
      const command = new QueryCommand({ ...input, ...(start && { ExclusiveStartKey: start }) });
      const page = await explained(this.#client.send(command));
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** All pages at once, each item as `read` makes it. */
  async queryAll<T>(options: QueryOptions, read: (item: Item) => T): Promise<T[]> {
    const all: T[] = [];
    for await (const item of this.query(options)) all.push(read(item));
    return all;
  }

  async put(item: Item): Promise<void> {
    await explained(this.#client.send(new PutItemCommand({ TableName: this.#tableName, Item: item })));
  }

  /**
   * All or nothing. Returns undefined when it is done, or the indexes of the items whose conditions did not hold.
   * Conflicts with another transaction and throttling are tried again. Rejects with a StoreError.
   */
  async transact(
    items: readonly ((tableName: string) => TransactWriteItem)[],
  ): Promise<readonly number[] | undefined> {
    if (items.length > LARGEST_TRANSACTION)
      throw new RangeError(`a transaction of ${items.length} items: at most ${LARGEST_TRANSACTION}`);
    const TransactItems = items.map((item) => item(this.#tableName));
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.send(new TransactWriteItemsCommand({ TransactItems }));
        return undefined;
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw explain(error);
        const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
        const failed = codes.flatMap((code, index) => (code === 'ConditionalCheckFailed' ? [index] : []));
        if (failed.length > 0) return failed;
        if (!codes.some((code) => PASSING.has(code))) throw explain(error);
        await this.#backOff(attempt, error);
      }
    }
  }

  /** Full jitter, so that those who collided do not collide again. */
  async #backOff(attempt: number, cause: unknown): Promise<void> {
    if (attempt >= ATTEMPTS) throw throttled(cause);
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    await pause(this.#fraction() * longest);
  }
}

async function explained<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): StoreError {
  const { name, message } = error as Error;
  if (THROTTLED.has(name)) return throttled(error);
  return new StoreError(
    'failed',
    `DynamoDB refused (${name}: ${message}): check the table's name, the region and the role's permissions`,
    error,
  );
}

function throttled(cause: unknown): StoreError {
  return new StoreError(
    'throttled',
    'the table takes no more for now: the request can be repeated; if this lasts, look at the throttle metrics of the table',
    cause,
  );
}

const textOf = ({ PK, SK }: ItemKey): string => `${PK}\n${SK}`;
