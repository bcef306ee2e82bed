/**
 * Three hosts in network namespaces of this machine:
 *
 *   internet 100.64.0.2 ──── 100.64.0.1 router 192.0.2.1 ──── 192.0.2.10 victim
 *   (attacker 100.64.0.66)        provider, nftables             customer's agent
 *
 * The demo runs inside the router's namespace, which ends with the process: nothing can be left behind.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';
import { Program } from './program.ts';
import type { Rates, Stage } from './stage.ts';

const VICTIM = '192.0.2.10';
const VISITOR = '100.64.0.2';
const ATTACKER = '100.64.0.66';
const ROUTER_INSIDE = '192.0.2.1';
const ROUTER_OUTSIDE = '100.64.0.1';
/** An NTP reflector's port: the flood looks like amplified answers (profile `reflectors`). */
const ATTACK = { fromPort: 123, toPort: 443, packetsPerSecond: 4000, bytes: 468 } as const;
const VISITS = { fromPort: 40_000, toPort: 443, packetsPerSecond: 100, bytes: 120 } as const;

/** The flags under which a process becomes the router; with a user namespace where root is not to be had. */
const ISOLATION = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const TRIAL =
  'echo 1 > /proc/sys/net/ipv4/ip_forward && mount -t tmpfs tmpfs /run && ip netns add trial && nft list ruleset';

/** The `unshare` command line that makes a router here, or undefined where the kernel, or a missing program, forbids it. */
export function isolation(): readonly string[] | undefined {
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const flags = ['unshare', ...asUser, ...ISOLATION];
  const trial = spawnSync('unshare', [...flags.slice(1), 'sh', '-c', TRIAL], {
    stdio: 'ignore',
    env: withSystemPath(),
  });
  return trial.status === 0 ? flags : undefined;
}

/** `ip` and `nft` stand where an ordinary user's PATH does not look. */
export function withSystemPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

/** Builds the three hosts; to be called by a process that `isolation()` has started. */
export async function makeNamespaceStage(): Promise<Stage> {
  await command('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  await command('ip', 'link', 'set', 'lo', 'up');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  await connect('internet', 'outside', ROUTER_OUTSIDE, [VISITOR, ATTACKER]);
  await connect('victim', 'inside', ROUTER_INSIDE, [VICTIM]);
  await countAtVictim();

  const senders: Program[] = [];
  const send = (from: string, traffic: typeof ATTACK | typeof VISITS): Program => {
    const sender = new Program(
      join(import.meta.dirname, 'traffic.ts'),
      [
        `--from=${from}`,
        `--from-port=${traffic.fromPort}`,
        `--to=${VICTIM}`,
        `--to-port=${traffic.toPort}`,
        `--pps=${traffic.packetsPerSecond}`,
        `--bytes=${traffic.bytes}`,
      ],
      { namespace: 'internet' },
    );
    senders.push(sender);
    return sender;
  };
  let attack: Program | undefined;
  return {
    about: 'attacker, router and victim are network namespaces of this machine; packets and filters are real',
    victim: VICTIM,
    providerHost: ROUTER_INSIDE,
    agentNamespace: 'victim',
    config: `terminatingSeconds: 5
mitigators:
  router: { driver: nftables }
domains:
  demo: { mitigators: [ { name: router, profile: reflectors } ] }
`,
    startVisitors: () => void send(VISITOR, VISITS),
    startAttack: () => {
      attack = send(ATTACKER, ATTACK);
    },
    stopAttack: async () => {
      await attack?.stop();
    },
    hasFilters: async () => (await command('nft', 'list', 'ruleset')).includes(VICTIM),
    measure: rateMeter(),
    close: async () => {
      await Promise.all(senders.map((sender) => sender.stop()));
    },
  };
}

/** A host with one link to the router, which is its way to everywhere. */
async function connect(
  host: string,
  link: string,
  router: string,
  addresses: readonly string[],
): Promise<void> {
  const inHost = (...args: readonly string[]): Promise<string> => command('ip', '-n', host, ...args);
  await command('ip', 'netns', 'add', host);
  await command('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', host);
  await command('ip', 'address', 'add', `${router}/24`, 'dev', link);
  await command('ip', 'link', 'set', link, 'up');
  await inHost('link', 'set', 'lo', 'up');
  await inHost('link', 'set', 'uplink', 'up');
  for (const address of addresses) await inHost('address', 'add', `${address}/24`, 'dev', 'uplink');
  await inHost('route', 'add', 'default', 'via', router);
}

/** Two counters where the packets arrive, on the victim's side of the link. */
async function countAtVictim(): Promise<void> {
  const inVictim = (...args: readonly string[]): Promise<string> =>
    command('ip', 'netns', 'exec', 'victim', 'nft', ...args);
  await inVictim('add table inet demo');
  await inVictim('add counter inet demo attack');
  await inVictim('add counter inet demo visitors');
  await inVictim('add chain inet demo arrivals { type filter hook input priority -300 ; }');
  await inVictim(`add rule inet demo arrivals udp sport ${ATTACK.fromPort} counter name attack`);
  await inVictim(`add rule inet demo arrivals udp sport ${VISITS.fromPort} counter name visitors`);
}

function rateMeter(): () => Promise<Rates> {
  let before = { at: performance.now(), attack: 0, visitors: 0 };
  return async () => {
    const listing = JSON.parse(
      await command('ip', 'netns', 'exec', 'victim', 'nft', '--json', 'list', 'counters'),
    ) as { nftables: readonly { counter?: { name: string; packets: number } }[] };
    const packets = (name: string): number =>
      listing.nftables.find((entry) => entry.counter?.name === name)?.counter?.packets ?? 0;
    const now = { at: performance.now(), attack: packets('attack'), visitors: packets('visitors') };
    const seconds = (now.at - before.at) / 1000;
    const rates = {
      attack: Math.round((now.attack - before.attack) / seconds),
      visitors: Math.round((now.visitors - before.visitors) / seconds),
    };
    before = now;
    return rates;
  };
}
