/** What a role allows, as its template says, and what a call needs: both in the words `action on resource`. */
import type { Template } from 'aws-cdk-lib/assertions';
import { resourcesOf } from './synthesised.ts';

export interface Statement {
  readonly actions: readonly string[];
  /** `table`, `table/index/…`, `stream`, the logical id of a resource of the stack, or `*`. */
  readonly resources: readonly string[];
  /** Of `dynamodb:LeadingKeys`; undefined: any. */
  readonly partitions?: readonly string[];
}

/** One thing that a call does. */
export interface Need {
  readonly action: string;
  readonly resource: string;
  readonly partition?: string;
}

interface PolicyStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly PolicyStatement[] };
}

/** All statements of the role whose logical id begins so, inline or attached. */
export function statementsOf(template: Template, functionId: string): readonly Statement[] {
  const [role, ...others] = [...resourcesOf(template, 'AWS::IAM::Role')].filter(([id]) =>
    id.startsWith(`${functionId}Role`),
  );
  if (role === undefined || others.length > 0) throw new Error(`no single role of ${functionId}`);
  const [roleId, { Properties }] = role;
  if (Properties['ManagedPolicyArns'] !== undefined) throw new Error(`${roleId} has managed policies`);
  const attached = [...resourcesOf(template, 'AWS::IAM::Policy').values()].filter((policy) =>
    (policy.Properties['Roles'] as { Ref: string }[]).some(({ Ref }) => Ref === roleId),
  );
  return [
    ...(Properties['Policies'] as Policy[]),
    ...attached.map((policy) => policy.Properties as unknown as Policy),
  ].flatMap(({ PolicyDocument }) => PolicyDocument.Statement.map(readStatement));
}

export function allows(statement: Statement, need: Need): boolean {
  return (
    statement.actions.includes(need.action) &&
    statement.resources.includes(need.resource) &&
    (statement.partitions === undefined ||
      statement.partitions.some((pattern) => matches(pattern, need.partition ?? '')))
  );
}

/** Throws on what it does not understand: a policy is not to be judged by half. */
function readStatement({ Effect, Action, Resource, Condition = {} }: PolicyStatement): Statement {
  if (Effect !== 'Allow') throw new Error(`a statement that is not Allow but ${Effect}`);
  const { 'ForAllValues:StringLike': like = {}, ...unknown } = Condition;
  const { 'dynamodb:LeadingKeys': partitions, ...others } = like;
  if (Object.keys({ ...unknown, ...others }).length > 0)
    throw new Error(`a condition of another kind: ${JSON.stringify(Condition)}`);
  return {
    actions: [Action].flat(),
    resources: [Resource].flat().map(nameOf),
    ...(partitions !== undefined && { partitions }),
  };
}

interface Reference {
  readonly 'Fn::ImportValue'?: string;
  readonly 'Fn::GetAtt'?: readonly [string, string];
  readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
}

function nameOf(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::ImportValue': imported, 'Fn::GetAtt': own, 'Fn::Join': joined } = resource as Reference;
  if (joined !== undefined) return joined[1].map(nameOf).join(joined[0]);
  if (own?.[1] === 'Arn') return own[0].replace(/[0-9A-F]{8}$/, '');
  if (imported?.includes('StreamArn') === true) return 'stream';
  if (imported?.includes('GetAttTable') === true) return 'table';
  throw new Error(`a resource of another kind: ${JSON.stringify(resource)}`);
}

function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
