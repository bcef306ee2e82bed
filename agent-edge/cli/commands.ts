/**
 * The agent's commands, for `tocsin` to put under its name. An action that is refused or fails rejects with
 * `CommandFailed`; mistakes of usage are commander's errors.
 */
import type { Command } from 'commander';

/** A command whose code is read when it is called for: asking for help must not take as long as reading the whole program. */
export interface CommandEntry {
  readonly name: string;
  /** One line, for the list of all. */
  readonly about: string;
  load(): Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'mitigate',
    about: 'ask the provider to mitigate an attack',
    load: async () => (await import('./mitigate.ts')).mitigateCommand(),
  },
  {
    name: 'withdraw',
    about: 'end a mitigation; the provider may keep it up for a short while',
    load: async () => (await import('./withdraw.ts')).withdrawCommand(),
  },
  {
    name: 'status',
    about: 'mitigations of this client, and how they fare',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'config',
    about: 'session parameters: in force, and the bounds of the server',
    load: async () => (await import('./config.ts')).configCommand(),
  },
];
