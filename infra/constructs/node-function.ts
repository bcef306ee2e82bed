/**
 * One Lambda function of `functions/<name>/handler.ts`: Node 24 on arm64, bundled by esbuild, with a log group and a role
 * of its own. The role holds what is listed here and nothing that a construct adds in passing.
 */
import { join } from 'node:path';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Policy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Stage } from '../config/stage.ts';

export interface NodeFunctionProps<Env> {
  readonly stage: Stage;
  /** Folder under `functions/`. */
  readonly folder: string;
  /** As the function's `env.ts` describes it: a forgotten variable does not compile. */
  readonly environment: Env;
  readonly timeoutSeconds: number;
  readonly memoryMiB?: number;
  /** All that its role allows beside its own log and its traces. */
  readonly permissions: readonly PolicyStatement[];
}

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');
const DEFAULT_MEMORY_MIB = 512;

/** Everything is in the bundle, the SDK too: what the tests ran is what runs, whatever the runtime carries that day. */
const BUNDLING: BundlingOptions = {
  format: OutputFormat.ESM,
  target: 'node24',
  mainFields: ['module', 'main'],
  externalModules: [],
  minify: true,
  logLevel: LogLevel.WARNING,
  sourceMap: true,
  sourcesContent: false,
};

export class NodeFunction<Env extends Readonly<Record<string, string | undefined>>> extends Construct {
  readonly function: NodejsFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps<Env>) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.stage.logRetention,
      removalPolicy: props.stage.protectState ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        logs: new PolicyDocument({ statements: [writeTo(logGroup)] }),
        ...(props.permissions.length > 0 && {
          own: new PolicyDocument({ statements: [...props.permissions] }),
        }),
      },
    });
    const tracing = this.#tracing();
    this.function = new NodejsFunction(this, 'Function', {
      entry: join(PROJECT_ROOT, 'functions', props.folder, 'handler.ts'),
      projectRoot: PROJECT_ROOT,
      depsLockFilePath: join(PROJECT_ROOT, 'package-lock.json'),
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMiB ?? DEFAULT_MEMORY_MIB,
      timeout: Duration.seconds(props.timeoutSeconds),
      tracing: Tracing.ACTIVE,
      environment: { ...definedOf(props.environment), NODE_OPTIONS: '--enable-source-maps' },
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      bundling: BUNDLING,
    });
    // Lambda refuses to make a traced function whose role cannot send traces yet.
    this.function.node.addDependency(tracing);
  }

  /** A policy of its own, so that the acknowledged wildcard covers traces and nothing else. */
  #tracing(): Policy {
    const tracing = new Policy(this, 'Tracing', {
      roles: [this.role],
      statements: [
        new PolicyStatement({
          actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
          resources: ['*'],
        }),
      ],
    });
    Validations.of(tracing).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray knows no resources for PutTraceSegments and PutTelemetryRecords: both only write.',
    });
    return tracing;
  }
}

/** The group's ARN ends in `:*`: its streams. */
function writeTo(logGroup: LogGroup): PolicyStatement {
  return new PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroup.logGroupArn],
  });
}

function definedOf(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
