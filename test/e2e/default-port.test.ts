/** RFC 9132 §3: the port of the signal channel, in a network namespace where every port is free. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requirePeer } from '#test/support/peer.ts';
import { Program } from '#test/support/program.ts';
import { makeTemporaryHome, removeHome } from '#test/support/provider-process.ts';

const run = promisify(execFile);
const ip = requirePeer('ip');
/** Of one test: each starts processes, on machines that may be busy. */
const PATIENCE_MS = 60_000;

const namespace = `tocsin-port-${process.pid}`;
const home = makeTemporaryHome();
let provider: Program | undefined;

/** A command inside the namespace, as arguments of `ip`. */
const within = (command: string, ...args: readonly string[]): string[] => [
  ...['netns', 'exec', namespace],
  ...['env', `TOCSIN_HOME=${home}`, 'NO_COLOR=1', command, ...args],
];

beforeAll(async () => {
  await run(ip, ['netns', 'add', namespace]);
  await run(ip, ['-n', namespace, 'link', 'set', 'lo', 'up']);
});
afterEach(() => provider?.end());
afterAll(async () => {
  await run(ip, ['netns', 'delete', namespace]);
  removeHome(home);
});

async function serve(...args: readonly string[]): Promise<void> {
  provider = new Program(ip, within(process.execPath, 'local/serve/main.ts', ...args));
  await provider.prints(/tocsin ready/, 15_000);
}

async function mitigate(server: string, ...args: readonly string[]): Promise<unknown> {
  const file = (name: string): string => join(home, 'pki', name);
  const { stdout } = await run(
    ip,
    within(
      process.execPath,
      ...['local/bin/tocsin.js', 'mitigate', '--json', '--target-prefix', '192.0.2.1', '--server', server],
      ...['--ca', file('ca.pem'), '--cert', file('clients/demo.pem'), '--key', file('clients/demo.key')],
      ...args,
    ),
  );
  return JSON.parse(stdout);
}

/** `udp 4646`, of everything that is listened on. */
async function listening(): Promise<string[]> {
  const { stdout } = await run(ip, within('ss', '-Hlntu'));
  return stdout.split('\n').flatMap((line) => {
    const [, protocol, port] = /^(udp|tcp) .*?:(\d+) /.exec(line) ?? [];
    return protocol === undefined ? [] : [`${protocol} ${port ?? ''}`];
  });
}

/** What the namespace has sent by itself: UDP datagrams, and connections opened over TCP. */
async function sent(): Promise<{ readonly datagrams: number; readonly connections: number }> {
  const { stdout } = await run(ip, within('cat', '/proc/net/snmp'));
  const value = (protocol: string, name: string): number => {
    const [names = [], values = []] = stdout
      .split('\n')
      .filter((line) => line.startsWith(`${protocol}:`))
      .map((line) => line.split(' '));
    return Number(values[names.indexOf(name)]);
  };
  return { datagrams: value('Udp', 'OutDatagrams'), connections: value('Tcp', 'ActiveOpens') };
}

test(
  'S-001 without a port anywhere it is 4646, over UDP and over TCP; S-004 and the server, left by its client, sends nothing',
  async () => {
    await serve();
    expect(await listening()).toEqual(expect.arrayContaining(['udp 4646', 'tcp 4646']));
    expect(await sent()).toEqual({ datagrams: 0, connections: 0 });
    expect(await mitigate('localhost')).toMatchObject({ code: '2.01', transport: 'udp' });
    expect(await mitigate('localhost', '--tcp')).toMatchObject({ code: '2.01', transport: 'tcp' });
    const before = await sent();
    expect(before.datagrams).toBeGreaterThan(0);
    // Longer than the 3 s between notifications.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await sent()).toEqual(before);
  },
  PATIENCE_MS,
);

test(
  'S-002 with another port on both sides it is that one, and nothing listens on 4646',
  async () => {
    await serve('--signal-port', '14646');
    const ports = await listening();
    expect(ports).toEqual(expect.arrayContaining(['udp 14646', 'tcp 14646']));
    expect(ports.filter((port) => port.endsWith(' 4646'))).toEqual([]);
    expect(await mitigate('localhost:14646')).toMatchObject({ code: '2.01', transport: 'udp' });
  },
  PATIENCE_MS,
);
