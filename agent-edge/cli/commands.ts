/**
 * The agent's commands, for `tocsin` to put under its name. An action that is refused or fails rejects with
 * `CommandFailed`; mistakes of usage are commander's errors.
 */
import type { Command } from 'commander';
import { configCommand } from './config.ts';
import { mitigateCommand } from './mitigate.ts';
import { statusCommand } from './status.ts';
import { withdrawCommand } from './withdraw.ts';

export const commands = (): Command[] => [
  mitigateCommand(),
  withdrawCommand(),
  statusCommand(),
  configCommand(),
];
