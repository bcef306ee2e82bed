/** Puts all commands under one name and turns how they end into an exit code. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { StoreError } from '#adapters/store/store-error.ts';
import { CommandFailed } from '#agent-edge/cli/command-failed.ts';
import { type CommandEntry, commands } from '#agent-edge/cli/commands.ts';
import { OperatorError } from '../operator-error.ts';
import { asRefusal } from '../refusal.ts';
import { print } from './command-line.ts';
import { operatorCommands } from './commands.ts';

/** A CommandFailed comes when its JSON is printed already. Exit code: 0 done, 1 refused or failed, 2 usage. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  process.stdout.on('error', onOutputError);
  process.stderr.on('error', onOutputError);
  const json = args.includes('--json');
  try {
    const program = await programFor(args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    const error = asRefusal(thrown);
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (json) printFailure(error.message.replace(/^error: /, ''));
      return 2;
    }
    if (error instanceof OperatorError || error instanceof StoreError) {
      if (json) printFailure(error.message);
    } else if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`tocsin: ${error.message}\n`);
    return 1;
  }
}

/** All commands by name; the code of the one that is called, and of no other. */
async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command('tocsin')
    .description('DDoS Open Threat Signaling: the provider on one machine, and the customer’s agent')
    .version(version());
  const words = args.filter((word) => !word.startsWith('-'));
  const called = words[0] === 'help' ? words[1] : words[0];
  for (const entry of [...operatorCommands, ...commands])
    program.addCommand((entry.name === called ? await entry.load() : nameOf(entry)).description(entry.about));
  configureAll(program);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const nameOf = ({ name }: CommandEntry): Command => new Command(name);

/** Subcommands copy settings when they are made, not the ones set later. */
function configureAll(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help shows what there is)');
  for (const subcommand of command.commands) configureAll(subcommand);
}

/** Whoever reads may have seen enough (`tocsin status | head -1`): that is no failure, and a provider goes on without. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`tocsin: what was to be said could not be written: ${error.message}\n`);
  process.exit(1);
}

function printFailure(message: string): void {
  print({ json: true }, { error: { message } }, '');
}
