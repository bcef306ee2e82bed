/** Which stacks there are and what they hand one another. */
import { type App, CrossStackReferences, ReferenceStrength, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { stageOf } from './config/stage.ts';
import { DataStack } from './stacks/data-stack.ts';
import { DecisionStack } from './stacks/decision-stack.ts';

export interface TocsinStacks {
  readonly data: DataStack;
  readonly decision: DecisionStack;
}

/** Throws for an unknown stage. */
export function tocsinApp(app: App, stageName: unknown): TocsinStacks {
  const stage = stageOf(stageName);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  // CloudFormation refuses to replace or delete a table that is still in use.
  CrossStackReferences.of(app).consume(ReferenceStrength.STRONG);
  const data = new DataStack(app, `tocsin-${stage.name}-data`, { stage });
  const decision = new DecisionStack(app, `tocsin-${stage.name}-decision`, { stage, table: data.table });
  return { data, decision };
}
