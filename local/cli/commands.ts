/** The operator's commands. */
import type { CommandEntry } from '#agent-edge/cli/commands.ts';

export const operatorCommands: readonly CommandEntry[] = [
  {
    name: 'serve',
    about: 'the provider on this machine, until SIGINT or SIGTERM',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'domain',
    about: 'customers and what they own',
    load: async () => (await import('./domain.ts')).domainCommand(),
  },
  {
    name: 'client',
    about: 'who speaks for a domain',
    load: async () => (await import('./client.ts')).clientCommand(),
  },
  {
    name: 'pki',
    about: 'certificates of this home',
    load: async () => (await import('./pki.ts')).pkiCommand(),
  },
  {
    name: 'mitigator',
    about: 'drivers, and work orders for operators',
    load: async () => (await import('./mitigator.ts')).mitigatorCommand(),
  },
  {
    name: 'doctor',
    about: 'looks for what keeps the provider of this home from working',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
];
