/** What each function's role allows, and what none of them does. */
import { allows, type Statement, statementsOf } from './rights.ts';
import { synthesised } from './synthesised.ts';

const FUNCTIONS = ['Authorizer', 'MitigationRequest', 'Sweeper', 'Outbox'] as const;
type FunctionId = (typeof FUNCTIONS)[number];

let roles: ReadonlyMap<FunctionId, readonly Statement[]>;
beforeAll(() => {
  const { decision } = synthesised('prod');
  roles = new Map(FUNCTIONS.map((id) => [id, statementsOf(decision, id)]));
});

const statements = (id: FunctionId): readonly Statement[] => roles.get(id) ?? [];

/** The actions whose name begins so, on anything. */
const actionsOf = (id: FunctionId, prefix: string): string[] => [
  ...new Set(statements(id).flatMap(({ actions }) => actions.filter((action) => action.startsWith(prefix)))),
];

const whoMay = (action: string, resource: string, partition: string): FunctionId[] =>
  FUNCTIONS.filter((id) => statements(id).some((each) => allows(each, { action, resource, partition })));

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLUpdate', 'PartiQLInsert'];

test('the authorizer reads identities and domains, item by item, and can do nothing else', () => {
  expect(actionsOf('Authorizer', 'dynamodb:')).toEqual(['dynamodb:GetItem']);
  expect(actionsOf('Authorizer', 'sqs:')).toEqual([]);
  expect(actionsOf('Authorizer', 'lambda:')).toEqual([]);
});

test('only mitigation-request writes mitigations; the sweeper deletes them and moves their date', () => {
  expect(whoMay('dynamodb:PutItem', 'table', 'DOM#demo')).toEqual(['MitigationRequest']);
  expect(whoMay('dynamodb:UpdateItem', 'table', 'DOM#demo')).toEqual(['MitigationRequest', 'Sweeper']);
  expect(whoMay('dynamodb:DeleteItem', 'table', 'DOM#demo')).toEqual(['Sweeper']);
  expect(actionsOf('Outbox', 'dynamodb:').filter((action) => WRITES.includes(action.slice(9)))).toEqual([]);
});

test.each(WRITES)('no function may %s identities or keys', (write) => {
  for (const partition of ['ID#any', 'CRED#any', 'SESS#any'])
    expect(whoMay(`dynamodb:${write}`, 'table', partition)).toEqual([]);
});

test('no function reads pre-shared keys, even sealed ones', () => {
  for (const read of ['GetItem', 'BatchGetItem', 'Query', 'Scan', 'PartiQLSelect'])
    expect(whoMay(`dynamodb:${read}`, 'table', 'CRED#any')).toEqual([]);
  expect(whoMay('dynamodb:Query', 'table/index/GSI1', 'PSK')).toEqual([]);
});

test('the sweeper invokes mitigation-request, and nobody invokes anything else', () => {
  const invoking = FUNCTIONS.flatMap((id) =>
    statements(id)
      .filter(({ actions }) => actions.some((action) => action.startsWith('lambda:')))
      .map(({ actions, resources }) => ({ id, actions, resources })),
  );
  expect(invoking).toEqual([
    { id: 'Sweeper', actions: ['lambda:InvokeFunction'], resources: ['MitigationRequestFunction'] },
  ]);
});

test('the outbox sends and never receives', () => {
  expect(actionsOf('Outbox', 'sqs:')).toEqual(['sqs:SendMessage']);
  const sending = FUNCTIONS.filter((id) => actionsOf(id, 'sqs:').length > 0);
  expect(sending).toEqual(['Outbox']);
});

test.each(FUNCTIONS)('%s: no wildcard but for traces; it writes to its own log only', (id) => {
  for (const { actions, resources } of statements(id)) {
    expect(actions.join()).not.toContain('*');
    if (actions.every((action) => action.startsWith('xray:Put'))) continue;
    expect(resources.join()).not.toContain('*');
    if (actions.some((action) => action.startsWith('logs:'))) expect(resources).toEqual([`${id}Logs`]);
  }
});

test.each(FUNCTIONS)('%s: every item of the table it may touch is of a named kind of partition', (id) => {
  const onTable = statements(id).filter(({ resources }) =>
    resources.some((each) => each.startsWith('table')),
  );
  expect(onTable.length).toBeGreaterThan(0);
  for (const { partitions } of onTable) expect(partitions?.length).toBeGreaterThan(0);
});
