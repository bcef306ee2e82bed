/** Calls of the AWS APIs as they go over the wire, and what each needs of the caller's role. */
import type { Need } from './rights.ts';

/** The `X-Amz-Target` header and the body. */
export interface Call {
  readonly target: string;
  readonly body: string;
}

type Key = Readonly<Record<string, { readonly S?: string } | undefined>>;
interface Write {
  readonly Key?: Key;
  readonly Item?: Key;
}
interface DynamoBody {
  readonly Key?: Key;
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly Key[] }>>;
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeValues?: Key;
  readonly TransactItems?: readonly Readonly<Record<string, Write>>[];
}

/** Throws for a call it does not know, so that none goes unnoticed. */
export function needsOf({ target, body }: Call): readonly Need[] {
  const [, operation] = target.split('.');
  if (target.startsWith('AmazonSQS.')) {
    if (operation !== 'SendMessageBatch') throw new Error(`an unknown call: ${target}`);
    return [{ action: 'sqs:SendMessage', resource: 'Commands' }];
  }
  const request = JSON.parse(body) as DynamoBody;
  switch (operation) {
    case 'GetItem':
      return [onTable('GetItem', request.Key)];
    case 'BatchGetItem':
      return Object.values(request.RequestItems ?? {}).flatMap(({ Keys }) =>
        Keys.map((key) => onTable('BatchGetItem', key)),
      );
    case 'Query':
      return [queryNeed(request)];
    case 'TransactWriteItems':
      return (request.TransactItems ?? []).flatMap((item) =>
        Object.entries(item).map(([kind, { Key, Item }]) => onTable(TRANSACTED[kind] ?? kind, Key ?? Item)),
      );
    default:
      throw new Error(`an unknown call: ${target}`);
  }
}

/** A transaction needs the right to each of its actions. */
const TRANSACTED: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

function onTable(action: string, key: Key | undefined): Need {
  return { action: `dynamodb:${action}`, resource: 'table', partition: textOf(key?.['PK']) };
}

function queryNeed({ IndexName, KeyConditionExpression = '', ExpressionAttributeValues }: DynamoBody): Need {
  const placeholder = /^\w+ = (:\w+)/.exec(KeyConditionExpression)?.[1] ?? '';
  return {
    action: 'dynamodb:Query',
    resource: IndexName === undefined ? 'table' : `table/index/${IndexName}`,
    partition: textOf(ExpressionAttributeValues?.[placeholder]),
  };
}

function textOf(value: { readonly S?: string } | undefined): string {
  if (value?.S === undefined) throw new Error('a call without a partition key');
  return value.S;
}
