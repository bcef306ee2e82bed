/** What must outlive every deployment: the table. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { Stage } from '../config/stage.ts';
import { tocsinTable } from '../constructs/tocsin-table.ts';

export interface DataStackProps extends StackProps {
  readonly stage: Stage;
}

export class DataStack extends Stack {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: props.stage.protectState });
    this.table = tocsinTable(this, props.stage.protectState);
  }
}
