/** Puts all commands under one name and turns how they end into an exit code. */
import { Command, CommanderError } from 'commander';
import { addClientCommands } from './client.ts';
import { CommandFailed } from './command-line.ts';
import { addDomainCommands } from './domain.ts';
import { addPkiCommands } from './pki.ts';

/** 0 done, 1 refused or failed, 2 usage. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('tocsin')
    .description('DDoS Open Threat Signaling: the provider on one machine, and the customer’s agent')
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride();
  for (const add of [addDomainCommands, addClientCommands, addPkiCommands]) add(program);
  exitOverrideAll(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`tocsin: ${error.message}\n`);
    return 1;
  }
}

/** Subcommands copy settings when they are made, not the ones set later. */
function exitOverrideAll(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) exitOverrideAll(subcommand);
}
