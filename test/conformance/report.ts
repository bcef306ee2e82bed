/**
 * `npm run conformance [-- --json] [-- LIST…]`: per requirement list how many ids have a test, are refused, are open;
 * with LISTs (`signal-channel`) their open and refused rows as well. Exit 1 when a title names an unknown id.
 */
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Coverage, coverageOf } from './coverage.ts';
import { REQUIREMENT_FILES, readRefusals, readRequirements } from './requirements.ts';
import { readTestTitles } from './test-titles.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const LISTS = join(ROOT, 'docs/rfc');

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !REQUIREMENT_FILES.some((file) => file === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no list is called ${unknown.join(', ')}; there are ${REQUIREMENT_FILES.join(', ')}\n`,
  );
  process.exit(2);
}

const requirements = Object.fromEntries(
  REQUIREMENT_FILES.map((file) => [file, readRequirements(LISTS, file)]),
);
const refusals = readRefusals(LISTS);
const titles = readTestTitles(join(ROOT, 'test')).map((title) => ({
  ...title,
  path: relative(ROOT, title.path),
}));
const { files, errors } = coverageOf(requirements, refusals, titles);

// Whoever reads only the first lines has what was wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.stdout.write(`${values.json ? JSON.stringify(counts(files)) : table(files)}\n`);
for (const file of positionals) for (const line of details(file)) process.stdout.write(`${line}\n`);
for (const error of errors) process.stderr.write(`${error}\n`);
process.exitCode = errors.length === 0 ? 0 : 1;

type Counts = Readonly<Record<keyof Coverage, number>>;

function counts(coverages: Readonly<Record<string, Coverage>>): Readonly<Record<string, Counts>> {
  return Object.fromEntries(
    Object.entries(coverages).map(([file, { total, proven, refused, open }]) => [
      file,
      { total, proven: proven.length, refused: refused.length, open: open.length },
    ]),
  );
}

function table(coverages: Readonly<Record<string, Coverage>>): string {
  const rows = Object.entries(counts(coverages)).map(([file, { total, proven, refused, open }]) => [
    file,
    total,
    proven,
    refused,
    open,
  ]);
  return [['requirements', 'total', 'proven', 'refused', 'open'], ...rows]
    .map(
      ([file = '', ...cells]) =>
        String(file).padEnd(16) + cells.map((cell) => String(cell).padStart(9)).join(''),
    )
    .join('\n');
}

function details(file: string): readonly string[] {
  const { open = [], refused = [] } = files[file] ?? {};
  return (requirements[file] ?? []).flatMap(({ id, rfc, section, level, text }) => {
    const row = `${id}  RFC ${rfc} ${section}  ${level}  ${text}`;
    if (open.includes(id)) return [`open     ${row}`];
    const reason = refusals.find((refusal) => refusal.id === id)?.reason ?? '';
    return refused.includes(id) ? [`refused  ${row} (${reason})`] : [];
  });
}
