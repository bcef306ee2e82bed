/** `npm run bench [-- --json] [-- --only NAME]`: every figure with its unit and, where there is one, the peer's of the same run. */
import { parseArgs } from 'node:util';
import { BENCHMARKS } from './benchmarks.ts';
import type { Figure } from './figure.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write('npm run bench -- [--json] [--only NAME]…\n\n');
  for (const benchmark of BENCHMARKS)
    process.stdout.write(`  ${benchmark.name.padEnd(22)} ${benchmark.about}\n`);
  process.exit(0);
}

const chosen = BENCHMARKS.filter(
  (benchmark) => values.only === undefined || values.only.includes(benchmark.name),
);
const unknown = (values.only ?? []).filter(
  (name) => !BENCHMARKS.some((benchmark) => benchmark.name === name),
);
if (unknown.length > 0) {
  process.stderr.write(`no benchmark called ${unknown.join(', ')}: --help lists them\n`);
  process.exit(2);
}

const figures: Figure[] = [];
for (const benchmark of chosen) {
  const progress = (text: string): void => void process.stderr.write(`${benchmark.name}: ${text}\n`);
  for (const figure of await benchmark.run(progress)) {
    figures.push(figure);
    if (!values.json) process.stdout.write(`${line(figure)}\n`);
  }
}
if (values.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);

function line(figure: Figure): string {
  const peer = figure.peer === undefined ? '' : `  ${figure.peer.name} ${figure.peer.value}`;
  const ratio = figure.ratio === undefined ? '' : `  ratio ${figure.ratio}`;
  const target =
    figure.target === undefined ? '' : `  [${figure.target.met ? 'met' : 'NOT met'}: ${figure.target.says}]`;
  return `${figure.name.padEnd(46)} ${String(figure.value).padStart(9)} ${figure.unit}${peer}${ratio}${target}`;
}
