/** Where the server is and who asks: the options every command of the agent has, and what they are when left out. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Cuid, parseCuid } from '#core/model/identifiers.ts';
import { parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { TransportChoice } from '../client/connect.ts';
import { CredentialError, type Credentials, readCredentials } from '../client/credentials.ts';
import { CommandFailed } from './command-failed.ts';

export interface ConnectionOptions {
  readonly server?: ServerAddress;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly pskIdentity?: string;
  readonly pskKeyFile?: string;
  readonly serverName?: string;
  readonly cuid?: Cuid;
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly json: boolean;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface Target {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly transport: TransportChoice;
  readonly credentials: Credentials;
  /** Names the server in the agent's memory and in messages. */
  readonly server: string;
  /** $TOCSIN_HOME. */
  readonly home: string;
}

const DOTS_PORT = 4646;
const DEFAULT_TIMEOUT_SECONDS = 30;

export function withConnectionOptions(command: Command): Command {
  return command
    .optionsGroup('Server and credentials:')
    .option('--server <host:port>', 'the DOTS server (default: the one running in $TOCSIN_HOME)', parseServer)
    .option('--ca <file>', 'PEM of the authority that issued the server’s certificate')
    .option('--cert <file>', 'PEM of the client’s certificate')
    .option('--key <file>', 'PEM of its key')
    .option('--psk-key-file <file>', 'pre-shared key in hexadecimal, instead of a certificate')
    .option('--psk-identity <name>', 'its identity (default: the first line of that file)')
    .option('--server-name <name>', 'name in the server’s certificate (default: the host)')
    .option('--cuid <text>', 'client identifier (default: derived from the credentials)', parseCuidOption)
    .addOption(new Option('--tcp', 'TLS over TCP only').default(false).conflicts('udp'))
    .addOption(new Option('--udp', 'DTLS over UDP only').default(false))
    .option(
      '--timeout <seconds>',
      'for the handshake, and for each answer',
      parseSeconds,
      DEFAULT_TIMEOUT_SECONDS,
    )
    .option('--json', 'print JSON instead of text', false);
}

/** Fills in what was left out from $TOCSIN_HOME. Throws `CommandFailed`. */
export function resolveTarget(options: ConnectionOptions): Target {
  const home = resolve(process.env['TOCSIN_HOME'] || '.tocsin');
  const address = options.server === undefined ? runningServer(home) : samePort(options.server);
  const { host, udpPort, tcpPort } = address;
  const transport = options.tcp ? 'tcp' : options.udp ? 'udp' : 'auto';
  return {
    ...address,
    transport,
    credentials: credentialsOf(options, home),
    server: `${host.includes(':') ? `[${host}]` : host}:${transport === 'tcp' ? tcpPort : udpPort}`,
    home,
  };
}

interface Ports {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
}

const samePort = ({ host, port }: ServerAddress): Ports => ({ host, udpPort: port, tcpPort: port });

/** As ready.json of a server on this machine says. */
function runningServer(home: string): Ports {
  const path = join(home, 'ready.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read: ${code}`;
    throw new CommandFailed(
      `no server: give --server HOST:PORT, or start one here with npm start (${path} ${why})`,
      {},
      { cause: error },
    );
  }
  try {
    const { signal } = JSON.parse(text) as { signal: { udp: string; tcp: string } };
    const udp = parseServer(signal.udp);
    return { host: udp.host, udpPort: udp.port, tcpPort: parseServer(signal.tcp).port };
  } catch (error) {
    throw new CommandFailed(
      `${path} is not what a server writes: give --server HOST:PORT`,
      {},
      { cause: error },
    );
  }
}

function credentialsOf(options: ConnectionOptions, home: string): Credentials {
  const ownCa = join(home, 'pki', 'ca.pem');
  const demo = join(home, 'pki', 'clients', 'demo');
  const ca = options.ca ?? (existsSync(ownCa) ? ownCa : undefined);
  const isGiven = options.cert ?? options.key ?? options.pskKeyFile ?? options.pskIdentity;
  const useDemo = isGiven === undefined && existsSync(`${demo}.pem`);
  const client = useDemo ? { cert: `${demo}.pem`, key: `${demo}.key` } : options;
  try {
    return readCredentials({ ...options, ...client, ca });
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new CommandFailed(error.message, {}, { cause: error });
  }
}

/** `host`, `host:port`, `[2001:db8::1]:port`, `2001:db8::1`. */
export function parseServer(text: string): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text);
  const isBareIpv6 = match === null && !text.includes('/') && parseIpPrefix(text) !== undefined;
  const host = isBareIpv6 ? text : (match?.[1] ?? match?.[2]);
  const port = Number(match?.[3] ?? DOTS_PORT);
  if (host === undefined || port < 1 || port > 65535) {
    throw new InvalidArgumentError('It wants HOST:PORT, e.g. dots.example:4646 or [2001:db8::1]:4646.');
  }
  return { host, port };
}

function parseCuidOption(text: string): Cuid {
  const cuid = parseCuid(text);
  if (cuid === undefined) throw new InvalidArgumentError('It wants 1 to 128 printable characters.');
  return cuid;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600)) throw new InvalidArgumentError('It wants seconds, up to 3600.');
  return seconds;
}
