/** Independent clients of a provider process: libcoap's coap-client on two TLS libraries. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeMitigationStatus, type ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';
import { fromHex } from './hex.ts';
import { requirePeer } from './peer.ts';
import type { ProviderProcess } from './provider-process.ts';

const CLIENTS = {
  OpenSSL: requirePeer('coap-client-openssl'),
  GnuTLS: requirePeer('coap-client-gnutls'),
};
/** A client that waits for an answer in vain ends by itself after so many seconds. */
const PATIENCE = 20;
const KILLED_AFTER_MS = 70_000;

export interface Asking {
  readonly client?: keyof typeof CLIENTS;
  readonly scheme?: 'coaps' | 'coaps+tcp';
  /** A client of the home's pki/clients by name, or a pre-shared key in plain letters. */
  readonly as?: string | { readonly identity: string; readonly key: string };
  readonly method?: 'get' | 'put' | 'delete' | 'post';
  readonly body?: Uint8Array;
  readonly args?: readonly string[];
  readonly patience?: number;
}

/** One response, or one notification. */
export interface Told {
  /** `NON`, `CON` or `ACK`. */
  readonly type: string;
  /** `2.05`. */
  readonly code: string;
  /** Of this message alone: of a body in blocks, one block. */
  readonly payload: Uint8Array;
}

export interface Answered {
  /** Of every response, in order. */
  readonly codes: readonly string[];
  readonly types: readonly string[];
  /** The whole body, put together from its blocks. */
  readonly payload: Uint8Array;
  readonly printed: string;
}

/** One call of a coap-client, below /.well-known/dots unless the path says otherwise. */
export async function ask(provider: ProviderProcess, path: string, asking: Asking = {}): Promise<Answered> {
  const output = join(provider.home, `answer-${++files}`);
  writeFileSync(output, '');
  const { child, printed } = start(provider, path, asking, ['-o', output]);
  await once(child, 'close');
  const told = toldIn(printed());
  return {
    types: told.map(({ type }) => type),
    codes: told.map(({ code }) => code),
    payload: readFileSync(output),
    printed: printed(),
  };
}

export interface Watching {
  /** The answer to the registration, and every notification so far. */
  told(): readonly Told[];
  /** The first told that fits; rejects with all that was told when none comes in time. */
  until(isSo: (told: Told) => boolean, withinMs?: number): Promise<Told>;
  /** SIGINT says goodbye with close_notify, SIGKILL nothing. */
  end(signal?: 'SIGINT' | 'SIGKILL'): Promise<void>;
}

/** Observes, Non-confirmable, for at most a minute. */
export function watch(provider: ProviderProcess, path: string, asking: Asking = {}): Watching {
  const { args = [] } = asking;
  const observing = { ...asking, patience: 60, args: ['-s', '60', '-N', ...args] };
  const { child, printed } = start(provider, path, observing, []);
  const closed = once(child, 'close');
  const told = (): readonly Told[] => toldIn(printed());
  return {
    told,
    async until(isSo, withinMs = 15_000) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const found = told().find(isSo);
        if (found !== undefined) return found;
        if (performance.now() > deadline || child.exitCode !== null)
          throw new Error(
            `not told in time; told were ${told()
              .map(({ code, payload }) => `${code} ${Buffer.from(payload).toString('hex')}`)
              .join(', ')}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async end(signal = 'SIGINT') {
      child.kill(signal);
      await closed;
    },
  };
}

export function entriesIn(payload: Uint8Array): readonly ReceivedStatusEntry[] {
  const decoded = decodeMitigationStatus(payload);
  if (!decoded.ok) throw new Error(`${decoded.error.field}: ${decoded.error.why}`);
  return decoded.value;
}

let files = 0;

interface Running {
  readonly child: ChildProcess;
  readonly printed: () => string;
}

function start(
  { home, ready }: ProviderProcess,
  path: string,
  asking: Asking,
  more: readonly string[],
): Running {
  const { client = 'OpenSSL', scheme = 'coaps', as = 'demo', method = 'get', body, args = [] } = asking;
  const given = ['-v', '7', '-B', String(asking.patience ?? PATIENCE), '-m', method, ...more];
  if (body !== undefined) {
    const file = join(home, `body-${++files}`);
    writeFileSync(file, body);
    given.push('-t', '271', '-f', file);
  }
  const resource = path.startsWith('/') ? path : `/.well-known/dots/${path}`;
  const uri = `${scheme}://${ready.signal.udp}${resource}`;
  const child = spawn(CLIENTS[client], [...given, ...credentials(home, as), ...args, uri], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: KILLED_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
  return { child, printed: () => text };
}

function credentials(home: string, as: NonNullable<Asking['as']>): readonly string[] {
  if (typeof as !== 'string') return ['-u', as.identity, '-k', as.key];
  const clients = join(home, 'pki', 'clients');
  return [
    '-c',
    join(clients, `${as}.pem`),
    '-j',
    join(clients, `${as}.key`),
    '-C',
    join(home, 'pki', 'ca.pem'),
  ];
}

/**
 * A received message as libcoap prints it: `… received 131 bytes`, `v:1 t:NON c:2.05 i:0c74 {01} [ … ] :: binary data length
 * 3`, `<<a0a1a2>>`. What the client itself answers, to heartbeats, is printed alike but for the first line.
 */
const PRINTED = /received \d+ bytes\nv:1 t:(\w+) c:(\d\.\d\d) .*\n(?:<<([0-9a-f]*)>>\n)?/g;

const toldIn = (printed: string): readonly Told[] =>
  [...printed.matchAll(PRINTED)].map(([, type = '', code = '', hex = '']) => ({
    type,
    code,
    payload: fromHex(hex),
  }));
