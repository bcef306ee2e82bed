/** Puts all commands under one name and turns how they end into an exit code. */

import { Command, CommanderError } from 'commander';
import { StoreError } from '#adapters/store/store-error.ts';
import { CommandFailed } from '#agent-edge/cli/command-failed.ts';
import { commands } from '#agent-edge/cli/commands.ts';
import { OperatorError } from '../operator-error.ts';
import { addClientCommands } from './client.ts';
import { print } from './command-line.ts';
import { addDoctorCommand } from './doctor.ts';
import { addDomainCommands } from './domain.ts';
import { addMitigatorCommands } from './mitigator.ts';
import { addPkiCommands } from './pki.ts';
import { addServeCommand } from './serve.ts';

/** A CommandFailed is the agent's, which has printed its JSON already. Exit code: 0 done, 1 refused or failed, 2 usage. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command('tocsin')
    .description('DDoS Open Threat Signaling: the provider on one machine, and the customer’s agent')
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride();
  for (const add of [
    addServeCommand,
    addDomainCommands,
    addClientCommands,
    addPkiCommands,
    addMitigatorCommands,
    addDoctorCommand,
  ])
    add(program);
  for (const command of commands()) program.addCommand(command);
  exitOverrideAll(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof OperatorError || error instanceof StoreError) {
      if (args.includes('--json')) print({ json: true }, { error: { message: error.message } }, '');
    } else if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`tocsin: ${error.message}\n`);
    return 1;
  }
}

/** Subcommands copy settings when they are made, not the ones set later. */
function exitOverrideAll(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) exitOverrideAll(subcommand);
}
