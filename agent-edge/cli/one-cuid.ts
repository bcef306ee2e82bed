/**
 * RFC 9132 §4.4.1.1: "If a DOTS client has to change its 'cuid' for some reason, it MUST NOT do so when mitigations are
 * still active for the old 'cuid'."
 */
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { CommandFailed } from './command-failed.ts';
import { failureOf } from './describe.ts';
import type { Context } from './with-client.ts';

const OVER: readonly ReceivedStatusEntry['status'][] = ['activeButTerminating', 'terminated', 'withdrawn'];

/** Before a request under `client.cuid`. Rejects with `CommandFailed` while something is active under the former one. */
export async function keepOneCuid({
  client,
  state,
  target,
}: {
  readonly client: Pick<Context['client'], 'cuid' | 'statusUnder'>;
  readonly state: Pick<Context['state'], 'askedUnder' | 'noteAskedUnder'>;
  readonly target: {
    readonly server: string;
    readonly credentials: Pick<Context['target']['credentials'], 'derivedCuid'>;
  };
}): Promise<void> {
  const { server, credentials } = target;
  const former = state.askedUnder(server, credentials.derivedCuid);
  if (former === client.cuid) return;
  if (former !== undefined) {
    const known = await client.statusUnder(former);
    const none = known.type === 'refused' && known.code === '4.04';
    if (known.type !== 'done' && !none)
      throw failureOf(known, `the mitigations under the former cuid ${former}`);
    const active = known.type === 'done' ? known.value.filter(({ status }) => !OVER.includes(status)) : [];
    if (active.length > 0) {
      const mids = active.map(({ mid }) => mid).join(', ');
      throw new CommandFailed(
        `under the cuid ${former} mitigations are active: ${mids}\n` +
          `Withdraw them first: tocsin withdraw --all --cuid ${former} (RFC 9132 §4.4.1.1)`,
        { cuid: former, active: active.map(({ mid }) => mid) },
      );
    }
  }
  state.noteAskedUnder(server, credentials.derivedCuid, client.cuid);
}

/**
 * §11: a derived cuid can be told from a certificate that TLS 1.2 shows to whoever listens. Takes a random one instead,
 * made once: later commands find it in the agent's memory.
 */
export async function takeRandomCuid(context: Context): Promise<void> {
  const { client, state, target } = context;
  const { derivedCuid } = target.credentials;
  if (state.cuid(target.server, derivedCuid) !== derivedCuid) return;
  const random = client.renewCuid();
  await keepOneCuid(context);
  state.replaceCuid(target.server, derivedCuid, random);
}
