/** Titles of tests, read from the syntax tree of their sources: a comment proves nothing, a skipped test neither. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface TestTitle {
  readonly title: string;
  readonly path: string;
  readonly line: number;
}

/** Every title in the sources below `folder`. */
export function readTestTitles(folder: string): readonly TestTitle[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => titlesOf(join(folder, name), readFileSync(join(folder, name), 'utf8')));
}

/** Of one source text. A describe counts only when a test that runs stands inside it. */
export function titlesOf(path: string, source: string): readonly TestTitle[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false);
  const visit = (node: ts.Node): readonly TestTitle[] => {
    const call = ts.isCallExpression(node) ? testCall(node) : undefined;
    if (call?.skipped === true) return [];
    const inner: TestTitle[] = [];
    ts.forEachChild(node, (child) => void inner.push(...visit(child)));
    if (call === undefined || (call.kind === 'describe' && inner.length === 0)) return inner;
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    return [{ title: call.title, path, line: line + 1 }, ...inner];
  };
  return visit(file);
}

interface TestCall {
  readonly kind: 'describe' | 'test';
  readonly skipped: boolean;
  readonly title: string;
}

const TEST_FUNCTIONS = ['describe', 'test', 'it', 'xdescribe', 'xtest', 'xit', 'fdescribe', 'fit'];

/** `test('…')`, `describe.skip('…')`, `it.each(rows)('…')`, `test.each` with a tagged template. */
function testCall(node: ts.CallExpression): TestCall | undefined {
  const [first] = node.arguments;
  const title = first === undefined ? undefined : textOf(first);
  const [root = '', ...modifiers] = calleeNames(node.expression);
  if (title === undefined || !TEST_FUNCTIONS.includes(root)) return undefined;
  return {
    kind: root.endsWith('describe') ? 'describe' : 'test',
    skipped: root.startsWith('x') || modifiers.includes('skip') || modifiers.includes('todo'),
    title,
  };
}

function calleeNames(callee: ts.Expression): readonly string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...calleeNames(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee)) return calleeNames(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return calleeNames(callee.tag);
  return [];
}

/** The fixed part of a title: what stands in `${…}` is not known without running it. */
function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => ` ${span.literal.text}`).join('');
}
