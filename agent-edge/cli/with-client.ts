/** Runs one command over one session: connects, remembers, says what takes long, and always closes. */
import type { Command } from 'commander';
import { HandshakeError } from '#adapters/tls/handshake-error.ts';
import { AgentState } from '../client/agent-state.ts';
import type { Credentials } from '../client/credentials.ts';
import { connect, type DotsClient } from '../client/dots-client.ts';
import { CommandFailed } from './command-failed.ts';
import { type ConnectionOptions, resolveTarget, type Target } from './connection-options.ts';
import { Progress, printJson, warn } from './terminal.ts';

export interface Context {
  readonly client: DotsClient;
  readonly state: AgentState;
  readonly target: Target;
  readonly progress: Progress;
  /** Aborted by Ctrl-C, for a command that ends well by it; see `endsOnInterrupt`. */
  readonly interrupted: AbortSignal;
  /** Rejects when the session ends before we close it. */
  readonly lost: Promise<never>;
}

export interface Behaviour {
  /** Ctrl-C is how this command is ended: it sees `interrupted` and finishes. Otherwise the process ends with 130. */
  readonly endsOnInterrupt: boolean;
}

/** What a shell expects of a process ended by SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;

/** Rejects with `CommandFailed`, after `{"error": …}` went out for `--json`. */
export async function withClient(
  options: ConnectionOptions,
  work: (context: Context) => Promise<void>,
  { endsOnInterrupt }: Behaviour = { endsOnInterrupt: false },
): Promise<void> {
  const interrupt = new AbortController();
  const connecting = new AbortController();
  let client: DotsClient | undefined;
  const onInterrupt = (): void => {
    if (endsOnInterrupt && client !== undefined) {
      interrupt.abort();
      return;
    }
    connecting.abort();
    client?.close();
    process.exit(endsOnInterrupt ? 0 : INTERRUPTED_EXIT_CODE);
  };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    // Whoever reads has seen enough: tocsin status --watch | head -3
    client?.close();
    process.exit(0);
  };
  process.on('SIGINT', onInterrupt);
  process.stdout.on('error', onOutputError);
  try {
    await runSession(options, work, connecting.signal, interrupt.signal, (opened) => {
      client = opened;
    });
  } catch (error) {
    const failure = asCommandFailed(error);
    if (failure === undefined) throw error;
    if (options.json) printJson({ error: failure.detail });
    throw failure;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.stdout.off('error', onOutputError);
  }
}

async function runSession(
  options: ConnectionOptions,
  work: (context: Context) => Promise<void>,
  connecting: AbortSignal,
  interrupted: AbortSignal,
  opened: (client: DotsClient) => void,
): Promise<void> {
  const target = resolveTarget(options);
  warnIfExpired(target.credentials);
  const state = new AgentState(target.home);
  const progress = new Progress(`connecting to ${target.server}`);
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  // Commands that do not wait for it have heard of the end by their own request.
  lost.catch(() => undefined);
  try {
    const client = await connect({
      ...target,
      cuid: options.cuid ?? state.cuid(target.server, target.credentials.derivedCuid),
      timeoutMs: options.timeout * 1000,
      answerWithinMs: options.timeout * 1000,
      signal: connecting,
      onSilence: () => warn(`${target.server} no longer answers heartbeats; still trying`),
      onClosed: (reason) =>
        lose(
          new CommandFailed(
            `${target.server} ended the session: ${reason}\nMitigations go on; run the command again to see them.`,
          ),
        ),
    });
    opened(client);
    progress.update('waiting for an answer');
    try {
      await work({ client, state, target, progress, interrupted, lost });
    } finally {
      client.close();
    }
  } catch (error) {
    throw error instanceof HandshakeError ? explainHandshake(error, target) : error;
  } finally {
    progress.end();
    state.close();
  }
}

/** It is tried all the same: the clock here may be the one that is wrong. */
function warnIfExpired({ validTo }: Credentials): void {
  if (validTo !== undefined && validTo.getTime() < Date.now())
    warn(
      `the client’s certificate expired on ${validTo.toISOString()}: a server that refuses it is right; its operator issues a new one with: tocsin client add`,
    );
}

const asCommandFailed = (error: unknown): CommandFailed | undefined =>
  error instanceof CommandFailed ? error : undefined;

function explainHandshake(error: HandshakeError, { server, transport, credentials }: Target): CommandFailed {
  const ports = { auto: 'UDP and TCP', udp: 'UDP', tcp: 'TCP' }[transport];
  const hasPsk = credentials.handshake.psk !== undefined;
  const psk = hasPsk ? ', and is the pre-shared key the right one' : '';
  const fix = {
    timeout: `Is the server running, does a firewall let its port through, ${ports}${psk}?`,
    unreachable: 'Is the server running, and is this its address and port?',
    refused: `Does the server know this client${psk}? Its operator can tell with: tocsin client list`,
    untrusted: /expired/.test(error.message)
      ? 'The server’s operator has to renew its certificate: tocsin doctor tells there.'
      : 'Give the authority of the server’s certificate with --ca, its name with --server-name.',
    aborted: 'Interrupted.',
  }[error.failure];
  return new CommandFailed(
    `no session with ${server}: ${error.message}\n${fix}`,
    { failure: error.failure },
    { cause: error },
  );
}

/** Examples after the options, as they would be typed. */
export const withExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
