/** `tocsin withdraw`: ends mitigations (RFC 9132 §4.4.4). */
import { Argument, Command } from 'commander';
import type { Mid } from '#core/model/identifiers.ts';
import { CommandFailed } from './command-failed.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import { failureOf } from './describe.ts';
import { parseMidOption } from './mitigate.ts';
import { printJson, printLine, toned } from './terminal.ts';
import { type Context, withClient, withExamples } from './with-client.ts';

interface WithdrawOptions extends ConnectionOptions {
  readonly all: boolean;
  readonly mid?: readonly Mid[];
}

const collectMids = (text: string, before: readonly Mid[] = []): readonly Mid[] => [
  ...before,
  parseMidOption(text),
];

export function withdrawCommand(): Command {
  const command = new Command('withdraw')
    .addArgument(
      new Argument('[mid...]', 'as tocsin mitigate or tocsin status shows it').argParser(collectMids),
    )
    .option('--mid <number>', 'the same as an option', collectMids)
    .option('--all', 'every mitigation of this client', false);
  withConnectionOptions(command);
  withExamples(command, ['tocsin withdraw 1', 'tocsin withdraw 1 2 3 --json', 'tocsin withdraw --all']);
  return command.action(async (words: readonly Mid[] | undefined, options: WithdrawOptions) => {
    const mids = [...(words ?? []), ...(options.mid ?? [])];
    if (options.all === mids.length > 0) command.error('error: name the mitigations to withdraw, or --all');
    await withClient(options, async (context) => {
      await withdraw(context, options.all ? await everyMid(context) : mids, options.json);
    });
  });
}

/** One after another. What cannot be withdrawn is told at the end; it does not keep the rest up. */
async function withdraw({ client }: Context, mids: readonly Mid[], json: boolean): Promise<void> {
  const withdrawn: Mid[] = [];
  const failures: CommandFailed[] = [];
  for (const mid of mids) {
    const answer = await client.withdraw(mid);
    if (answer.type !== 'done') failures.push(failureOf(answer, `withdrawal of mitigation ${mid}`));
    else {
      withdrawn.push(mid);
      if (!json) printLine(`${toned('withdrawn', 'good')}: mitigation ${mid} (${answer.code})`);
    }
  }
  if (failures.length > 0) {
    const [first] = failures;
    throw new CommandFailed(failures.map(({ message }) => message).join('\n'), {
      ...first?.detail,
      withdrawn,
    });
  }
  if (json) printJson({ withdrawn });
  else if (mids.length === 0) printLine('no mitigations');
}

async function everyMid({ client }: Context): Promise<readonly Mid[]> {
  const answer = await client.status({ filter: 'n' });
  if (answer.type === 'done') return answer.value.map(({ mid }) => mid);
  if (answer.type === 'refused' && answer.code === '4.04') return [];
  throw failureOf(answer, 'the list of mitigations');
}
