/** `--wait`: follows a mitigation until it is in effect, or cannot be. */
import type { Mid } from '#core/model/identifiers.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { CommandFailed } from './command-failed.ts';
import { countersText, failureOf, statusText, toneOf } from './describe.ts';
import { printLine, toned } from './terminal.ts';
import type { Context } from './with-client.ts';

export type Waiting = Pick<Context, 'lost'> & {
  readonly client: Pick<Context['client'], 'watch'>;
  readonly progress: Pick<Context['progress'], 'update'>;
};

/** What was heard in the end; `json` leaves printing it to the caller. Rejects with `CommandFailed` when it is not in effect after `seconds`, or is over before. */
export async function awaitMitigation(
  { client, progress, lost }: Waiting,
  mid: Mid,
  seconds: number,
  json: boolean,
): Promise<ReceivedStatusEntry> {
  const settled = Promise.withResolvers<ReceivedStatusEntry>();
  let latest = 'not yet known';
  // RFC 9132 §4.4.2: "it SHOULD use "c=n" query … when the DDoS attack is active to limit the size of the response".
  const observation = client.watch({ mid, filter: 'n' }, (outcome) => {
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
    if (!json)
      printLine(`${toned(statusText(entry), toneOf(entry.status))} ${countersText(entry)}`.trimEnd());
    if (entry.status !== 'mitigated' && entry.status !== 'stopped') {
      throw new CommandFailed(`mitigation ${mid} is not in effect: ${statusText(entry)}`);
    }
    return entry;
  } finally {
    clearTimeout(timer);
    await observation.stop();
  }
}
