/** Which requirements have a test, which are refused with a reason, which are open. */
import type { Refusal, Requirement } from './requirements.ts';
import type { TestTitle } from './test-titles.ts';

export interface Coverage {
  readonly total: number;
  readonly proven: readonly string[];
  readonly refused: readonly string[];
  readonly open: readonly string[];
}

export interface CoverageReport {
  readonly files: Readonly<Record<string, Coverage>>;
  /** Mistakes in titles or lists, each a line for people; any of them fails the report. */
  readonly errors: readonly string[];
}

const REQUIREMENT_ID = /\b[ACDFMPSTV]-\d{3}\b/g;

export function coverageOf(
  requirements: Readonly<Record<string, readonly Requirement[]>>,
  refusals: readonly Refusal[],
  titles: readonly TestTitle[],
): CoverageReport {
  const known = new Set(Object.values(requirements).flatMap((rows) => rows.map(({ id }) => id)));
  const named = titles.flatMap(({ title, path, line }) =>
    [...title.matchAll(REQUIREMENT_ID)].map(([id]) => ({ id, where: `${path}:${line}` })),
  );
  const proven = new Set(named.map(({ id }) => id));
  const refused = new Set(refusals.map(({ id }) => id));
  const files = Object.fromEntries(
    Object.entries(requirements).map(([file, rows]) => {
      const ids = rows.map(({ id }) => id);
      const coverage: Coverage = {
        total: ids.length,
        proven: ids.filter((id) => proven.has(id)),
        refused: ids.filter((id) => refused.has(id) && !proven.has(id)),
        open: ids.filter((id) => !proven.has(id) && !refused.has(id)),
      };
      return [file, coverage];
    }),
  );
  const errors = [
    ...named
      .filter(({ id }) => !known.has(id))
      .map(({ id, where }) => `${where}: no requirement is called ${id}`),
    ...refusals
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => `refused.tsv: no requirement is called ${id}`),
    ...refusals
      .filter(({ id }) => proven.has(id))
      .map(({ id }) => `refused.tsv: ${id} is refused, yet a test names it`),
  ];
  return { files, errors };
}
