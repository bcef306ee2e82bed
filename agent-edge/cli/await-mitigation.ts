/** `--wait`: follows a mitigation until it is in effect, or cannot be. */
import type { Mid } from '#core/model/identifiers.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { CommandFailed } from './command-failed.ts';
import { countersText, failureOf, statusText, toneOf } from './describe.ts';
import { statusJson } from './rfc-json.ts';
import { printJson, printLine, toned } from './terminal.ts';
import type { Context } from './with-client.ts';

export type Waiting = Pick<Context, 'lost'> & {
  readonly client: Pick<Context['client'], 'watch'>;
  readonly progress: Pick<Context['progress'], 'update'>;
};

/** Rejects with `CommandFailed` when it is not in effect after `seconds`, or is over before. */
export async function awaitMitigation(
  { client, progress, lost }: Waiting,
  mid: Mid,
  seconds: number,
  json: boolean,
): Promise<void> {
  const settled = Promise.withResolvers<ReceivedStatusEntry>();
  let latest = 'not yet known';
  const observation = client.watch({ mid }, (outcome) => {
    if (outcome.type !== 'done') {
      settled.reject(failureOf(outcome, `mitigation ${mid}`));
      return;
    }
    const entry = outcome.value.find((candidate) => candidate.mid === mid);
    if (entry === undefined) return;
    latest = statusText(entry);
    progress.update(`mitigation ${mid}: ${latest}`);
    if (entry.status !== 'inProgress') settled.resolve(entry);
  });
  const timer = setTimeout(
    () => settled.reject(new CommandFailed(`mitigation ${mid} after ${seconds} s: ${latest}`)),
    seconds * 1000,
  );
  try {
    const entry = await Promise.race([settled.promise, lost]);
    if (json) printJson(statusJson(entry));
    else printLine(`${toned(statusText(entry), toneOf(entry.status))} ${countersText(entry)}`.trimEnd());
    if (entry.status !== 'mitigated' && entry.status !== 'stopped') {
      throw new CommandFailed(`mitigation ${mid} is not in effect: ${statusText(entry)}`);
    }
  } finally {
    clearTimeout(timer);
    await observation.stop();
  }
}
