/** The stacks of one stage as templates: synthesised in this process, with the project's context, bundles left out. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type TocsinStacks, tocsinApp } from '../../infra/tocsin-app.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

export interface Synthesised {
  readonly data: Template;
  readonly decision: Template;
  readonly stacks: TocsinStacks;
}

const CDK_JSON = join(import.meta.dirname, '../../cdk.json');

/** Throws when cdk-nag or CDK's own rules find what nobody has acknowledged. `change` may spoil the stacks before. */
export function synthesised(stage: unknown, change: (stacks: TocsinStacks) => void = () => {}): Synthesised {
  const { app, remove } = makeApp({ 'aws:cdk:bundling-stacks': [] });
  try {
    const stacks = tocsinApp(app, stage);
    change(stacks);
    const { data, decision } = stacks;
    return { stacks, data: Template.fromStack(data), decision: Template.fromStack(decision) };
  } finally {
    remove();
  }
}

/** An app with the project's context, and how to delete its assembly. */
export function makeApp(context: Readonly<Record<string, unknown>>): {
  readonly app: App;
  readonly remove: () => void;
} {
  const outdir = mkdtempSync(join(tmpdir(), 'tocsin-cdk-'));
  return {
    app: new App({ outdir, context: { ...projectContext(), ...context } }),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

function projectContext(): Readonly<Record<string, unknown>> {
  return (JSON.parse(readFileSync(CDK_JSON, 'utf8')) as { context: Record<string, unknown> }).context;
}

/** By logical id. */
export function resourcesOf(template: Template, type: string): ReadonlyMap<string, Resource> {
  return new Map(Object.entries(template.findResources(type) as Record<string, Resource>));
}

/** The only resource of its type whose logical id begins so. */
export function resourceOf(template: Template, type: string, id = ''): Resource {
  const found = [...resourcesOf(template, type)].filter(([logicalId]) => logicalId.startsWith(id));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} resources ${type} ${id}`);
  return only[1];
}
