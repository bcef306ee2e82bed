/** An attacker and a router with the victim's addresses, each in a network namespace, with a cable between them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requirePeer } from './peer.ts';

const run = promisify(execFile);
const ip = requirePeer('ip');
const nft = requirePeer('nft');

export interface Hosts {
  /** Name of the router's namespace: where filters are to be. */
  readonly router: string;
  /** Sends UDP from the attacker's host; resolves when all of it is on the wire. */
  send(datagrams: {
    readonly to: string;
    readonly fromPort: number;
    readonly toPort: number;
    readonly count: number;
    readonly bytes: number;
  }): Promise<void>;
  /** Packets that have passed all filters, by destination port, as the router itself counts them. */
  arrived(toPort: number): Promise<number>;
  /** All that nftables holds in the router but for the arrival counters. */
  ruleset(): Promise<string>;
  close(): Promise<void>;
}

const COUNTED_PORTS = [53, 443, 8080];

export async function makeHosts(): Promise<Hosts> {
  const id = `${process.pid}-${Math.trunc(performance.now())}`;
  const attacker = `tocsin-${id}-attacker`;
  const router = `tocsin-${id}-router`;
  const within = async (namespace: string, ...command: readonly string[]): Promise<string> =>
    (await run(ip, ['netns', 'exec', namespace, ...command])).stdout;
  const close = async (): Promise<void> => {
    for (const namespace of [attacker, router])
      await run(ip, ['netns', 'delete', namespace]).catch(() => undefined);
  };
  try {
    await run(ip, ['netns', 'add', attacker]);
    await run(ip, ['netns', 'add', router]);
    await run(ip, [
      '-n',
      attacker,
      'link',
      'add',
      'cable',
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      router,
    ]);
    for (const [namespace, four, six] of [
      [attacker, '198.51.100.2/24', 'fd00::2/64'],
      [router, '198.51.100.1/24', 'fd00::1/64'],
    ] as const) {
      const configure = (...args: readonly string[]): Promise<unknown> => run(ip, ['-n', namespace, ...args]);
      await configure('link', 'set', 'lo', 'up');
      await configure('link', 'set', 'cable', 'up');
      await configure('address', 'add', four, 'dev', 'cable');
      await configure('address', 'add', six, 'dev', 'cable', 'nodad');
    }
    for (const victim of ['192.0.2.1/32', '192.0.2.2/32', '2001:db8::1/128'])
      await run(ip, ['-n', router, 'address', 'add', victim, 'dev', 'lo']);
    await run(ip, ['-n', attacker, 'route', 'add', '192.0.2.0/24', 'via', '198.51.100.1']);
    await run(ip, ['-n', attacker, '-6', 'route', 'add', '2001:db8::/32', 'via', 'fd00::1']);
    await within(router, nft, 'add table inet arrivals');
    await within(router, nft, 'add chain inet arrivals input { type filter hook input priority 0 ; }');
    for (const port of COUNTED_PORTS) {
      await within(router, nft, `add counter inet arrivals port${port}`);
      await within(router, nft, `add rule inet arrivals input udp dport ${port} counter name port${port}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    router,
    async send({ to, fromPort, toPort, count, bytes }) {
      const script = `
import socket, time
s = socket.socket(socket.AF_INET6 if ':' in '${to}' else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', ${fromPort}))
for i in range(${count}):
    s.sendto(bytes(${bytes}), ('${to}', ${toPort}))
    if i % 50 == 49: time.sleep(0.01)
`;
      await within(attacker, requirePeer('python3'), '-c', script);
    },
    async arrived(toPort) {
      const listing = JSON.parse(
        await within(router, nft, '-j', `list counter inet arrivals port${toPort}`),
      ) as {
        readonly nftables: readonly { readonly counter?: { readonly packets: number } }[];
      };
      return listing.nftables.find((entry) => entry.counter !== undefined)?.counter?.packets ?? 0;
    },
    async ruleset() {
      const tables = await within(router, nft, 'list tables');
      const others = tables.split('\n').filter((line) => line !== '' && line !== 'table inet arrivals');
      const texts = await Promise.all(others.map((table) => within(router, nft, `list ${table}`)));
      return texts.join('\n');
    },
    close,
  };
}
