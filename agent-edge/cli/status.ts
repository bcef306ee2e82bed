/** `tocsin status`: what the provider says of this client's mitigations (RFC 9132 §4.4.2), once or as it changes. */
import { Argument, Command } from 'commander';
import type { Mid } from '#core/model/identifiers.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import {
  conflictText,
  countersText,
  failureOf,
  lifetimeText,
  statusText,
  targetsText,
  toneOf,
} from './describe.ts';
import { parseMidOption } from './mitigate.ts';
import { statusJson } from './rfc-json.ts';
import { printJson, printLine, toned } from './terminal.ts';
import { type Context, withClient, withExamples } from './with-client.ts';

interface StatusOptions extends ConnectionOptions {
  readonly watch: boolean;
}

type Entries = readonly ReceivedStatusEntry[];

export function statusCommand(): Command {
  const command = new Command('status')
    .addArgument(new Argument('[mid]', 'only this one').argParser(parseMidOption))
    .option('--watch', 'stay and print every change, until Ctrl-C or the end of what is watched', false);
  withConnectionOptions(command);
  withExamples(command, ['tocsin status', 'tocsin status 1 --watch', 'tocsin status --json']);
  return command.action(async (mid: Mid | undefined, options: StatusOptions) => {
    const run = options.watch ? watch : show;
    await withClient(options, (context) => run(context, mid, options.json), {
      endsOnInterrupt: options.watch,
    });
  });
}

async function show({ client }: Context, mid: Mid | undefined, json: boolean): Promise<void> {
  const answer = await client.status(mid === undefined ? {} : { mid });
  if (answer.type === 'done') printAll(answer.value, json);
  else if (isEmptyList(answer, mid)) printAll([], json);
  else throw failureOf(answer, subjectOf(mid));
}

/** Ends well on Ctrl-C, and when the provider says that there is nothing more to watch. */
async function watch(
  { client, progress, interrupted, lost }: Context,
  mid: Mid | undefined,
  json: boolean,
): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const seen = new Map<Mid, string>();
  let hasAnswered = false;
  const observation = client.watch(mid === undefined ? {} : { mid }, (outcome, more) => {
    progress.end();
    if (outcome.type === 'done') {
      if (json) printAll(outcome.value, json);
      else printChanges(outcome.value, seen);
      hasAnswered = true;
      if (!more) over.resolve(undefined);
    } else if (isEmptyList(outcome, mid) || (hasAnswered && isGone(outcome))) {
      if (json) printAll([], json);
      else printLine(mid === undefined ? 'no mitigations' : `mitigation ${mid} is over`);
      over.resolve(undefined);
    } else over.reject(failureOf(outcome, subjectOf(mid)));
  });
  interrupted.addEventListener('abort', () => over.resolve(undefined), { once: true });
  try {
    await Promise.race([over.promise, lost]);
  } finally {
    await observation.stop();
  }
}

const subjectOf = (mid: Mid | undefined): string =>
  mid === undefined ? 'status' : `status of mitigation ${mid}`;

const isGone = (outcome: { readonly type: string }): boolean =>
  outcome.type === 'refused' && (outcome as { readonly code?: string }).code === '4.04';

/** §4.4.2: a client without mitigations is answered 4.04. */
const isEmptyList = (outcome: { readonly type: string }, mid: Mid | undefined): boolean =>
  mid === undefined && isGone(outcome);

function printAll(entries: Entries, json: boolean): void {
  if (json) printJson({ scope: entries.map(statusJson) });
  else if (entries.length === 0) printLine('no mitigations');
  else for (const entry of entries) printLine(entryText(entry));
}

/** Only what differs from the last time by more than the time that has passed. */
function printChanges(entries: Entries, seen: Map<Mid, string>): void {
  const time = new Date().toTimeString().slice(0, 8);
  for (const entry of entries) {
    const text = entryText({ ...entry, lifetimeSeconds: 0 });
    if (seen.get(entry.mid) === text) continue;
    seen.set(entry.mid, text);
    printLine(`${time} ${entryText(entry)}`);
  }
  const present = new Set(entries.map(({ mid }) => mid));
  for (const mid of [...seen.keys()].filter((known) => !present.has(known))) {
    seen.delete(mid);
    printLine(`${time} ${mid} is over`);
  }
}

function entryText(entry: ReceivedStatusEntry): string {
  const parts = [
    `${entry.mid}`,
    toned(statusText(entry), toneOf(entry.status)),
    targetsText(entry.scope),
    entry.lifetimeSeconds === undefined ? '' : `for ${lifetimeText(entry.lifetimeSeconds)}`,
    entry.triggerMitigation ? '' : 'on loss of the session',
    countersText(entry),
    entry.conflict === undefined ? '' : `conflict: ${conflictText(entry.conflict)}`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}
