/** The bundles as `cdk deploy` uploads them, and processes that run them with the environment that the stack sets. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { tocsinApp } from '../../infra/tocsin-app.ts';
import { resourceOf } from './synthesised.ts';

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** As the template has it: variables with references in place of values that only a deployment knows. */
  readonly environment: Readonly<Record<string, unknown>>;
}

export interface Bundles {
  readonly decision: Template;
  /** By the id of the construct, e.g. `Authorizer`. */
  readonly of: (functionId: string) => Bundle;
}

/** Synthesises with esbuild at work; the bundles live as long as the app's assembly. */
export function bundleAll(app: App): Bundles {
  const decision = Template.fromStack(tocsinApp(app, 'prod').decision);
  return {
    decision,
    of: (functionId) => {
      const { Properties } = resourceOf(decision, 'AWS::Lambda::Function', `${functionId}Function`);
      const { Code, Environment, Handler } = Properties as {
        Code: { S3Key: string };
        Environment: { Variables: Record<string, unknown> };
        Handler: string;
      };
      if (Handler !== 'index.handler') throw new Error(`${functionId} is started as ${Handler}`);
      const path = join(app.outdir, `asset.${Code.S3Key.replace(/\.zip$/, '')}`, 'index.mjs');
      return { path, bytes: statSync(path).size, environment: Environment.Variables };
    },
  };
}

export interface RunningFunction {
  /** Rejects with what the handler rejected with. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

const HOST = join(import.meta.dirname, 'lambda-host.ts');

/**
 * `values` stand for the references of the bundle's environment: each one has to have a value. `endpoints` are what a
 * deployed function finds by itself. Rejects with what a function that does not start writes.
 */
export async function startFunction(
  { path, environment }: Bundle,
  values: Readonly<Record<string, string>>,
  endpoints: Readonly<Record<string, string>>,
): Promise<RunningFunction> {
  const resolved = Object.entries(environment).map(([name, value]): [string, string] => {
    const known = typeof value === 'string' ? value : values[name];
    if (known === undefined) throw new Error(`no value for ${name}`);
    return [name, known];
  });
  const child = fork(HOST, [path], {
    execArgv: [],
    env: { ...Object.fromEntries(resolved), ...AWS, ...endpoints },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.stderr === null) throw new Error('no standard error');
  const complaint = text(child.stderr);
  const [first] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
  if (first !== 'ready') throw new Error(await complaint);
  return { invoke: (event) => invoke(child, event), stop: () => stop(child) };
}

/** Credentials that open nothing. */
const AWS = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_EC2_METADATA_DISABLED: 'true',
};

async function invoke(child: ChildProcess, event: unknown): Promise<unknown> {
  const answered = once(child, 'message', { signal: AbortSignal.timeout(10_000) });
  child.send(event as object);
  const [message] = (await answered) as [{ readonly answer?: unknown; readonly error?: string }];
  if (message.error !== undefined) throw new Error(message.error);
  return message.answer;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
