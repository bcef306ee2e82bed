/** The lists under docs/rfc: one requirement a line, and those we decline with the reason. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One list per document of the requirements, in the order of the report. */
export const REQUIREMENT_FILES = [
  'signal-channel',
  'coap',
  'data-channel',
  'architecture',
  'multihoming',
  'filter-control',
  'telemetry',
  'call-home',
  'discovery',
] as const;

export type RequirementFile = (typeof REQUIREMENT_FILES)[number];

export interface Requirement {
  /** `S-123`: the letter says which list. */
  readonly id: string;
  readonly rfc: string;
  readonly section: string;
  readonly level: string;
  /** Whom it binds: server, client, both, gateway. */
  readonly role: string;
  readonly text: string;
}

export interface Refusal {
  readonly id: string;
  readonly reason: string;
}

export function readRequirements(folder: string, file: RequirementFile): readonly Requirement[] {
  const header = ['id', 'rfc', 'section', 'level', 'role', 'requirement'];
  return readTable(join(folder, `${file}.tsv`), header).map((cells) => {
    const [id = '', rfc = '', section = '', level = '', role = '', text = ''] = cells;
    return { id, rfc, section, level, role, text };
  });
}

export function readRefusals(folder: string): readonly Refusal[] {
  return readTable(join(folder, 'refused.tsv'), ['id', 'reason']).map(([id = '', reason = '']) => ({
    id,
    reason,
  }));
}

/** Rows below the header. Throws on another header or a row with an empty or missing first or last cell. */
function readTable(path: string, header: readonly string[]): readonly (readonly string[])[] {
  const [first, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
  if (first !== header.join('\t')) throw new Error(`${path}:1: the header must be ${header.join(', ')}`);
  return rows.map((row, index) => {
    const cells = row.split('\t');
    if (cells.length !== header.length || cells[0] === '' || cells.at(-1) === '')
      throw new Error(`${path}:${index + 2}: wants ${header.length} cells separated by tabs`);
    return cells;
  });
}
