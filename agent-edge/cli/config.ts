/** `tocsin config`: the session parameters in force, and what the server would accept (RFC 9132 §4.5.1). */
import { Command, InvalidArgumentError } from 'commander';
import { parseSid, type Sid } from '#core/model/identifiers.ts';
import type { Bounded, ConfigSet } from '#core/signal/bodies.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import { failureOf } from './describe.ts';
import { configJson } from './rfc-json.ts';
import { printJson, printLine } from './terminal.ts';
import { type Context, withClient, withExamples } from './with-client.ts';

interface ConfigOptions extends ConnectionOptions {
  readonly sid?: Sid;
}

const LABELS = {
  heartbeatInterval: 'heartbeat-interval (s)',
  missingHbAllowed: 'missing-hb-allowed',
  probingRate: 'probing-rate (bytes/s)',
  maxRetransmit: 'max-retransmit',
  ackTimeout: 'ack-timeout (s)',
  ackRandomFactor: 'ack-random-factor',
} as const satisfies Record<keyof ConfigSet, string>;

export function configCommand(): Command {
  const command = new Command('config').option(
    '--sid <number>',
    'the configuration with this identifier',
    parseSidOption,
  );
  withConnectionOptions(command);
  withExamples(command, ['tocsin config', 'tocsin config --json', 'tocsin config --tcp']);
  return command.action(async (options: ConfigOptions) => {
    await withClient(options, (context) => show(context, options));
  });
}

async function show({ client }: Context, { sid, json }: ConfigOptions): Promise<void> {
  const answer = await client.config(sid);
  if (answer.type !== 'done') throw failureOf(answer, 'configuration');
  if (json) {
    printJson(configJson(answer.value));
    return;
  }
  printSet('while mitigating', answer.value.mitigating);
  printSet('while idle', answer.value.idle);
}

function printSet(title: string, set: ConfigSet | undefined): void {
  if (set === undefined) return;
  printLine(`${title}:`);
  for (const name of Object.keys(LABELS) as (keyof ConfigSet)[]) {
    const bounded = set[name];
    if (bounded !== undefined) printLine(`  ${LABELS[name].padEnd(24)}${boundedText(bounded)}`);
  }
}

function boundedText({ current, min, max }: Bounded): string {
  const value = (current ?? '-').toString();
  return min === undefined || max === undefined ? value : `${value.padEnd(8)}${min} to ${max}`;
}

function parseSidOption(text: string): Sid {
  const sid = parseSid(text);
  if (sid === undefined) throw new InvalidArgumentError('It wants a number from 0 to 4294967295.');
  return sid;
}
