/** `tocsin mitigator`: the drivers of this provider, and the work orders of its operators. */
import { Command } from 'commander';
import { confirmOrder, type Order, openOrders, refuseOrder } from '#adapters/mitigators/alert/orders.ts';
import { CommandFailed } from '#agent-edge/cli/command-failed.ts';
import { homeOf } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import { withStore } from '../registry/open-store.ts';
import { loadConfig } from '../serve/configure.ts';
import { openMitigators } from '../serve/mitigators.ts';
import { addCommand, type JsonOption, print, table, wholeNumberFrom } from './command-line.ts';

interface RefuseOptions extends JsonOption {
  readonly reason: string;
}

export function mitigatorCommand(): Command {
  const mitigator = new Command('mitigator');

  addCommand(mitigator, 'list', 'mitigators and the domains that use them', ['tocsin mitigator list']).action(
    async (options: JsonOption) => {
      const users = await withStore(async (store) => {
        const domains = await store.domains();
        return (name: string): readonly string[] =>
          domains
            .filter(({ policy }) => policy.mitigators.some((one) => one.name === name))
            .map(({ id }) => id);
      });
      const listed = Object.entries({
        alert: { driver: 'alert' },
        ...(loadConfig(homeOf(process.env)).config.mitigators ?? {}),
      }).map(([name, { driver }]) => ({ name, driver, domains: users(name) }));
      const rows = listed.map(({ name, driver, domains }) => [name, driver, domains.join(' ')]);
      print(options, listed, table([['MITIGATOR', 'DRIVER', 'DOMAINS'], ...rows]));
    },
  );

  addCommand(mitigator, 'health', 'asks every mitigator how it is; 1 when one is not well', [
    'tocsin mitigator health',
  ]).action(async (options: JsonOption) => {
    const home = homeOf(process.env);
    const mitigators = openMitigators(home, loadConfig(home).config, () => undefined);
    const all = await Promise.all(
      [...mitigators.values()].map(async (one) => {
        const health = await one.health().finally(() => one.close());
        return { name: one.name, ...health };
      }),
    );
    const rows = all.map(({ name, healthy, detail }) => [name, healthy ? 'well' : 'NOT WELL', detail]);
    print(options, all, table([['MITIGATOR', 'HEALTH', 'DETAIL'], ...rows]));
    const unwell = all.filter(({ healthy }) => !healthy);
    if (unwell.length > 0) throw new CommandFailed(`not well: ${unwell.map(({ name }) => name).join(', ')}`);
  });

  addCommand(mitigator, 'orders', 'work orders of the alert driver', ['tocsin mitigator orders']).action(
    async (options: JsonOption) => {
      const orders = await openOrders(homeOf(process.env).orders).list();
      const rows = orders.map(({ domainId, cuid, mid, state, profile, targets }) => [
        domainId,
        cuid,
        mid.toString(),
        state,
        profile,
        targets.map(({ prefix }) => prefix).join(' '),
      ]);
      print(options, orders, table([['DOMAIN', 'CUID', 'MID', 'STATE', 'PROFILE', 'TARGETS'], ...rows]));
    },
  );

  addCommand(mitigator, 'confirm', 'the mitigation has been brought about: status 2', [
    'tocsin mitigator confirm demo dz6pHjaADkaFTbjr0JGBpw 1',
  ])
    .argument('<domain>')
    .argument('<cuid>')
    .argument('<mid>', 'mitigation identifier', wholeNumberFrom(0))
    .action(async (domainId: string, cuid: string, mid: number, options: JsonOption) => {
      const orders = openOrders(homeOf(process.env).orders);
      tell(options, await confirmOrder(orders, { domainId, cuid, mid }), 'confirmed');
    });

  addCommand(mitigator, 'refuse', 'the mitigation will not be brought about: status 4', [
    'tocsin mitigator refuse demo dz6pHjaADkaFTbjr0JGBpw 1 --reason "no capacity"',
  ])
    .argument('<domain>')
    .argument('<cuid>')
    .argument('<mid>', 'mitigation identifier', wholeNumberFrom(0))
    .requiredOption('--reason <text>', 'why')
    .action(async (domainId: string, cuid: string, mid: number, options: RefuseOptions) => {
      const orders = openOrders(homeOf(process.env).orders);
      tell(options, await refuseOrder(orders, { domainId, cuid, mid }, options.reason), 'refused');
    });
  return mitigator;
}

function tell(options: JsonOption, answered: readonly Order[], what: string): void {
  if (answered.length === 0)
    throw new OperatorError('there is no such order; tocsin mitigator orders shows all');
  print(options, answered, `${answered.length} order${answered.length === 1 ? '' : 's'} ${what}`);
}
