/** `tocsin mitigate`: asks for a mitigation (RFC 9132 §4.4.1), refreshes one, or reports its efficacy (§4.4.3). */
import { Command, InvalidArgumentError, Option } from 'commander';
import { MID_ROLLOVER } from '#core/client/mid-sequence.ts';
import { splitRequest } from '#core/client/split-request.ts';
import { type Mid, parseMid } from '#core/model/identifiers.ts';
import type { AttackStatus } from '#core/model/status.ts';
import type { MitigationRequestBody } from '#core/signal/bodies.ts';
import type { ReceivedAnswer } from '#core/signal/mitigation-codec.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import type { Answered } from '../client/dots-client.ts';
import { rollOver } from '../client/rollover.ts';
import { awaitMitigation } from './await-mitigation.ts';
import { CommandFailed } from './command-failed.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import { conflictText, failureOf, lifetimeText, targetsText } from './describe.ts';
import { keepOneCuid, takeRandomCuid } from './one-cuid.ts';
import { conflictJson, statusJson } from './rfc-json.ts';
import { hasTarget, scopeOf, type TargetOptions, withTargetOptions } from './target-options.ts';
import { printJson, printLine, toned } from './terminal.ts';
import { type Context, withClient, withExamples } from './with-client.ts';

interface MitigateOptions extends ConnectionOptions, TargetOptions {
  readonly lifetime: number;
  readonly mid?: Mid;
  readonly trigger: boolean;
  readonly efficacy?: 'under-attack' | 'mitigated';
  /** Seconds; true when no number was given. */
  readonly wait?: number | true;
  readonly randomCuid: boolean;
}

/** RFC 9132 §4.4.1.1: "The RECOMMENDED lifetime of a mitigation request is 3600 seconds". */
const DEFAULT_LIFETIME = 3600;
const DEFAULT_WAIT_SECONDS = 60;
const LEARN_WITHIN_MS = 2_000;
const ATTACK_STATUS = {
  'under-attack': 'underAttack',
  mitigated: 'attackSuccessfullyMitigated',
} as const satisfies Record<string, AttackStatus>;

export function mitigateCommand(): Command {
  const command = new Command('mitigate');
  withTargetOptions(command)
    .optionsGroup('Request:')
    .option('--lifetime <seconds>', 'how long; -1 asks for no end', parseLifetime, DEFAULT_LIFETIME)
    .option(
      '--mid <number>',
      'mitigation to refresh, with its targets unchanged (default: a new one)',
      parseMidOption,
    )
    .option('--no-trigger', 'do not start now, but when the session is lost')
    .addOption(
      new Option('--efficacy <what>', 'report what is seen of the attack; needs --mid').choices(
        Object.keys(ATTACK_STATUS),
      ),
    )
    .addOption(
      new Option(
        '--random-cuid',
        'ask under a random identifier from now on, not one that the credentials give away',
      )
        .default(false)
        .conflicts('cuid'),
    )
    .option('--wait [seconds]', `wait until it is in effect (default: ${DEFAULT_WAIT_SECONDS})`, parseWait);
  withConnectionOptions(command);
  withExamples(command, [
    'tocsin mitigate --target-prefix 192.0.2.1',
    'tocsin mitigate --target-prefix 192.0.2.0/24 --target-protocol udp --target-port 53 --lifetime 600 --wait',
    'tocsin mitigate --target-fqdn www.demo.example --target-protocol tcp --target-port 80 --target-port 8000-8100',
    'tocsin mitigate --mid 1 --target-prefix 192.0.2.1 --lifetime 7200        # refresh',
    'tocsin mitigate --server dots.example:4646 --ca ca.pem --cert me.pem --key me.key --alias web',
  ]);
  return command.action(async (options: MitigateOptions) => {
    const scope = scopeOf(options);
    if (!hasTarget(scope))
      command.error('error: one of --target-prefix, --target-fqdn, --target-uri and --alias is needed');
    if (options.efficacy !== undefined && options.mid === undefined)
      command.error('error: --efficacy needs --mid');
    const body: MitigationRequestBody = {
      scope,
      lifetimeSeconds: options.lifetime,
      triggerMitigation: options.trigger,
      ...(options.efficacy === undefined ? {} : { attackStatus: ATTACK_STATUS[options.efficacy] }),
    };
    await withClient(options, (context) => mitigate(context, options, body));
  });
}

async function mitigate(
  context: Context,
  options: MitigateOptions,
  body: MitigationRequestBody,
): Promise<void> {
  if (options.randomCuid) await takeRandomCuid(context);
  const accepted: Accepted[] = [];
  for (const part of partsOf(context, options, body))
    accepted.push(await withMids(accepted, () => ask(context, options, part)));
  const entries = await withMids(accepted, () => waitFor(context, accepted, options));
  if (!options.json) return;
  const told = accepted.map((each, index) => {
    const entry = entries[index];
    return { ...jsonOf(context, each), ...(entry === undefined ? {} : statusJson(entry)) };
  });
  printJson(told.length === 1 ? told[0] : told);
}

/** One after another, as far as `--wait` wants. */
async function waitFor(
  context: Context,
  accepted: readonly Accepted[],
  { wait, json }: MitigateOptions,
): Promise<readonly ReceivedStatusEntry[]> {
  if (wait === undefined) return [];
  const seconds = wait === true ? DEFAULT_WAIT_SECONDS : wait;
  const entries: ReceivedStatusEntry[] = [];
  for (const { mid } of accepted) entries.push(await awaitMitigation(context, mid, seconds, json));
  return entries;
}

interface Accepted {
  readonly mid: Mid;
  readonly code: string;
  readonly value: ReceivedAnswer;
}

/** Several where one datagram does not take it; what has a mid already is refreshed or reported on as it is. */
function partsOf(
  { client }: Context,
  options: MitigateOptions,
  body: MitigationRequestBody,
): readonly MitigationRequestBody[] {
  return client.transport === 'udp' && options.mid === undefined ? splitRequest(body) : [body];
}

/** A failure tells which mitigations are in force all the same. */
async function withMids<T>(accepted: readonly Accepted[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandFailed) || accepted.length === 0) throw error;
    const mids = accepted.map(({ mid }) => mid);
    const message = `${error.message}\nAccepted, and not withdrawn: ${mids.join(', ')}`;
    throw new CommandFailed(message, { ...error.detail, message, accepted: mids }, { cause: error });
  }
}

async function ask(
  context: Context,
  options: MitigateOptions,
  body: MitigationRequestBody,
): Promise<Accepted> {
  const { mid, answer } = await requestUnderOwnCuid(context, options, body);
  if (answer.type !== 'done') throw failureOf(answer, `mitigation ${mid} of ${targetsText(body.scope)}`);
  if (!options.json) printAccepted(mid, answer, body);
  return { mid, code: answer.code, value: answer.value };
}

function printAccepted(
  mid: Mid,
  {
    code,
    value: { lifetimeSeconds, conflict },
  }: Extract<Answered<ReceivedAnswer>, { readonly type: 'done' }>,
  { scope }: MitigationRequestBody,
): void {
  const accepted = toned(code === '2.01' ? 'accepted' : 'refreshed', 'good');
  printLine(
    `${accepted}: mitigation ${mid} of ${targetsText(scope)} for ${lifetimeText(lifetimeSeconds)} (${code})`,
  );
  if (conflict !== undefined) printLine(`  in spite of a conflict: ${conflictText(conflict)}`);
  printLine(`  tocsin status ${mid} --watch    follows it\n  tocsin withdraw ${mid}          ends it`);
}

const jsonOf = (
  { client, target }: Context,
  { mid, code, value: { lifetimeSeconds, conflict } }: Accepted,
): Readonly<Record<string, unknown>> => ({
  mid,
  lifetime: lifetimeSeconds,
  code,
  cuid: client.cuid,
  server: target.server,
  transport: client.transport,
  ...(conflict === undefined ? {} : { 'conflict-information': conflictJson(conflict) }),
});

interface Requested {
  readonly mid: Mid;
  readonly answer: Answered<ReceivedAnswer>;
}

/** §4.4.1.1: when the cuid turns out to be another client's, the same is asked for again under a new one. */
async function requestUnderOwnCuid(
  context: Context,
  options: MitigateOptions,
  body: MitigationRequestBody,
): Promise<Requested> {
  const { client, state, target } = context;
  const first = await request(context, options, body);
  const collides = first.answer.type === 'conflict' && first.answer.conflict.cause === 'cuidCollision';
  if (!collides || options.cuid !== undefined) return first;
  state.replaceCuid(target.server, target.credentials.derivedCuid, client.renewCuid());
  return request(context, { ...options, mid: first.mid }, body);
}

async function request(
  context: Context,
  options: MitigateOptions,
  body: MitigationRequestBody,
): Promise<Requested> {
  const { client, state, target } = context;
  await keepOneCuid(context);
  if (options.mid !== undefined) state.noteMid(target.server, client.cuid, options.mid);
  const mid = options.mid ?? (await newMid(context, body.triggerMitigation));
  return { mid, answer: await client.requestMitigation(mid, body) };
}

/** Above what the server still knows of this client, should the agent's own memory be new. */
async function newMid({ client, state, target }: Context, attackActive: boolean): Promise<Mid> {
  const take = (active: boolean): Mid => state.takeMid(target.server, client.cuid, active);
  const last = state.lastMid(target.server, client.cuid);
  if (last === undefined) {
    const known = await client.status({ filter: 'n' }, LEARN_WITHIN_MS);
    if (known.type === 'done') {
      for (const { mid } of known.value) state.noteMid(target.server, client.cuid, mid);
    }
  }
  if (attackActive || last === undefined || last < MID_ROLLOVER) return take(true);
  const rolled = await rollOver(client, () => take(false));
  if (rolled.type === 'rolled-over') return take(false);
  if (rolled.type === 'attack-active') return take(true);
  throw failureOf(rolled, 'renumbering of the preconfigured requests');
}

function parseLifetime(text: string): number {
  const seconds = text === 'unlimited' ? -1 : Number(text);
  if (!Number.isInteger(seconds) || seconds < -1 || seconds === 0 || seconds > 0xffff_ffff) {
    throw new InvalidArgumentError('It wants seconds from 1 on, or -1.');
  }
  return seconds;
}

export function parseMidOption(text: string): Mid {
  const mid = parseMid(text);
  if (mid === undefined) throw new InvalidArgumentError('It wants a number from 0 to 4294967295.');
  return mid;
}

function parseWait(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError('It wants seconds.');
  return seconds;
}
