/** Stages by name, and no stack with a finding that nobody has answered. */
import { type Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { TocsinStacks } from '../../infra/tocsin-app.ts';
import { type Synthesised, synthesised } from './synthesised.ts';

let stages: ReadonlyMap<string, Synthesised>;
beforeAll(() => {
  stages = new Map(['dev', 'prod'].map((name) => [name, synthesised(name)]));
});

test.each([['staging'], [''], ['toString'], [undefined], [7]])(
  'stage %p is refused, with the stages there are',
  (name) => {
    expect(() => synthesised(name)).toThrow(
      `no stage ${JSON.stringify(name)}: choose one with -c stage=dev|prod`,
    );
  },
);

test('stages share no name', () => {
  const names = [...stages.values()].map(({ stacks }) => [stacks.data.stackName, stacks.decision.stackName]);
  expect(names).toEqual([
    ['tocsin-dev-data', 'tocsin-dev-decision'],
    ['tocsin-prod-data', 'tocsin-prod-decision'],
  ]);
});

test('a wildcard that nobody has acknowledged stops the synthesis', () => {
  const spoil = ({ decision }: TocsinStacks): void => {
    const role = decision.node.findChild('Sweeper').node.findChild('Role');
    if (!(role instanceof Role)) throw new Error('the sweeper has no role');
    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:Scan'], resources: ['*'] }));
  };
  expect(() => synthesised('prod', spoil)).toThrow(/IAM5\[Resource::\*\]/);
});

test.each(['dev', 'prod'])('%s: what is acknowledged is this, each with a reason', (stage) => {
  const stacks = Object.values<Stack>({ ...stages.get(stage)?.stacks });
  const acknowledged = stacks.flatMap((stack) => acknowledgements(stack));
  const wildcard = 'AwsSolutions::AwsSolutions-IAM5[Resource::*]';
  expect(acknowledged.map(({ path, id }) => `${path} ${id}`)).toEqual([
    `Authorizer/Tracing ${wildcard}`,
    `MitigationRequest/Tracing ${wildcard}`,
    `Sweeper/Tracing ${wildcard}`,
    'LostChanges AwsSolutions::AwsSolutions-SQS3',
    `Outbox/Tracing ${wildcard}`,
  ]);
  for (const { reason } of acknowledged) expect(reason.length).toBeGreaterThan(40);
});

interface Acknowledgement {
  readonly path: string;
  readonly id: string;
  readonly reason: string;
}

function acknowledgements(stack: Stack): readonly Acknowledgement[] {
  return stack.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) =>
        Object.entries(data as Record<string, string>).map(([id, reason]) => ({
          path: node.path.slice(stack.node.path.length + 1),
          id,
          reason,
        })),
      ),
  );
}
