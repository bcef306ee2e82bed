/** docs/lifecycles.md draws the two state tables as they are: a difference in a drawing is a difference in behaviour. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TRANSITIONS } from '#core/mitigation/transitions.ts';
import { SESSION_TRANSITIONS } from '#core/session/session-machine.ts';

const PAGE = readFileSync(resolve('docs/lifecycles.md'), 'utf8');

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

test.each<[string, Table]>([
  ['mitigation', TRANSITIONS],
  ['session', SESSION_TRANSITIONS],
])('the drawing of the %s is its table', (_name, table) => {
  expect(PAGE).toContain(drawn(table));
});

/** To be put into the page when a table changes. */
function drawn(table: Table): string {
  const edges = Object.entries(table).flatMap(([from, events]) => {
    const eventsByTarget = Map.groupBy(Object.entries(events), ([, to]) => to);
    return [...eventsByTarget].map(
      ([to, pairs]) => `    ${from} --> ${to}: ${pairs.map(([event]) => event).join(', ')}`,
    );
  });
  return ['```mermaid', 'stateDiagram-v2', ...edges, '```'].join('\n');
}
