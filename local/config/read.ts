/** Reads config.yaml. What is wrong comes back with its line, its column and the fix. */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { fail, ok, type Result } from '#core/base/result.ts';
import { fixFor, schemaAt } from './fix.ts';
import { type Config, configJsonSchema, configSchema } from './schema.ts';

export interface ConfigProblem {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

export interface ReadConfig {
  readonly config: Config;
  /** Where a value stands, for what only the store can tell to be wrong. */
  position(path: readonly PropertyKey[]): Pick<ConfigProblem, 'line' | 'column'>;
}

/** An empty file is an empty configuration. */
export function readConfig(text: string): Result<ReadConfig, readonly ConfigProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Pick<ConfigProblem, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    return fail(faults.map((fault) => ({ ...at(fault.pos[0]), message: `is not YAML: ${fault.message}` })));

  const value = (document.toJS() as unknown) ?? {};
  const position: ReadConfig['position'] = (path) => at(valueOffset(document, path));
  const parsed = configSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return ok({ config: parsed.data, position });
  return fail(
    parsed.error.issues.flatMap((issue) =>
      problemsOf(issue, value).map(({ path, key, message }) => ({
        ...at(key === true ? keyOffset(document, path) : valueOffset(document, path)),
        message,
      })),
    ),
  );
}

/** `config.yaml:3:5: …` */
export function formatProblem(file: string, { line, column, message }: ConfigProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}

interface Located {
  readonly path: readonly PropertyKey[];
  /** The key itself is wrong, not its value. */
  readonly key?: boolean;
  readonly message: string;
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown): readonly Located[] {
  const schema = configJsonSchema();
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schemaAt(schema, issue.path, value)?.properties ?? {});
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      key: true,
      message: `${name([...issue.path, key])} is not a key that exists here: ${suggestion(key, known)}`,
    }));
  }
  if (issue.code === 'invalid_key') {
    const why = issue.issues.map((inner) => inner.message).join(', ');
    return [{ path: issue.path, key: true, message: `${name(issue.path)}: the name ${why}` }];
  }
  const found = 'input' in issue ? describe(issue.input) : 'something else';
  const alternatives = 'options' in issue && Array.isArray(issue.options) ? issue.options.join(', ') : '';
  const what =
    issue.code === 'invalid_type'
      ? `wants ${issue.expected === 'int' ? 'a whole number' : article(issue.expected)}, found ${found}`
      : alternatives === ''
        ? lowerFirst(issue.message)
        : `wants one of ${alternatives}, found ${describe(valueAt(value, issue.path))}`;
  return [{ path: issue.path, message: `${name(issue.path)}: ${what}${fixFor(schema, issue.path, value)}` }];
}

/** What stands at `path`. */
const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);

/** Offset of the value at `path`, or of the deepest thing on the way that exists. */
function valueOffset(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return document.contents?.range?.[0] ?? 0;
}

function keyOffset(document: Document, path: readonly PropertyKey[]): number {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = isMap(parent)
    ? parent.items.map((pair) => pair.key).find((node) => isScalar(node) && node.value === path.at(-1))
    : undefined;
  return isNode(key) ? (key.range?.[0] ?? 0) : valueOffset(document, path);
}

const name = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'the file' : path.map(String).join('.');

function suggestion(key: string, known: readonly string[]): string {
  const near = known.find((candidate) => distance(candidate.toLowerCase(), key.toLowerCase()) <= 2);
  if (near !== undefined) return `write ${near}`;
  return known.length === 0 ? 'remove it' : `remove it; there are ${known.join(', ')}`;
}

/** Levenshtein's, over short keys. */
function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}

function describe(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (input === null) return 'an empty value';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  return typeof input === 'string' ? `the text ${JSON.stringify(input)}` : JSON.stringify(input);
}

function article(type: string): string {
  const names: Record<string, string> = {
    object: 'mapping',
    record: 'mapping',
    array: 'list',
    string: 'text',
  };
  const word = names[type] ?? type;
  return word === 'text' ? word : `a ${word}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
