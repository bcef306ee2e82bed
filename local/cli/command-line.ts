/** What every command has: examples in its help, `--json`, and one meaning of exit codes: 0 done, 1 refused or failed, 2 usage. */
import { type Command, InvalidArgumentError } from 'commander';

/** Adds a subcommand. `examples` are shown as they would be typed. */
export function addCommand(
  parent: Command,
  usage: string,
  about: string,
  examples: readonly string[],
): Command {
  return withExamples(parent.command(usage).description(about), examples);
}

/** `--json`, and examples after the options, as they would be typed. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command
    .option('--json', 'print one JSON document instead of text', false)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
}

export interface JsonOption {
  readonly json: boolean;
}

/** Prints the value as one line of JSON, or the text. */
export function print(options: JsonOption, value: unknown, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${text}\n`);
}

/** Columns padded to their widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** For options that are a whole number; anything else is a mistake of usage. */
export function wholeNumberFrom(
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(
        `It wants a whole number from ${least} ${most === Number.MAX_SAFE_INTEGER ? 'on' : `to ${most}`}.`,
      );
    return value;
  };
}
