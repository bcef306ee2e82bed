/** Two real GoBGP daemons: AS65001, which the driver speaks to, and its neighbor AS65002, which sees what is announced. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requirePeer } from './peer.ts';

const run = promisify(execFile);

const gobgpd = requirePeer('gobgpd');
const gobgp = requirePeer('gobgp');

/** Addresses of 127.0.0.0/8: two speakers cannot share one, as neighbors go by address. */
const LOCAL = '127.0.65.1';
const NEIGHBOR = '127.0.65.2';
const FAMILIES = ['ipv4-unicast', 'ipv6-unicast', 'ipv4-flowspec', 'ipv6-flowspec'] as const;

export type Table = 'ipv4' | 'ipv6' | 'ipv4-flowspec' | 'ipv6-flowspec';

export interface GobgpPair {
  /** Of the daemon that the driver speaks to. */
  readonly address: string;
  /** Of the neighbor, for `gobgp -p`. */
  readonly neighborApiPort: number;
  /** What the neighbor has learnt, as its own command line prints it. */
  seen(table: Table): Promise<string>;
  startLocal(): Promise<void>;
  stopLocal(): Promise<void>;
  startNeighbor(): Promise<void>;
  stopNeighbor(): Promise<void>;
  close(): Promise<void>;
}

/** Starts neither: both have to be started. */
export async function makeGobgpPair(): Promise<GobgpPair> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-gobgp-'));
  const [bgp = 0, localApi = 0, neighborApi = 0] = await freePorts(3);
  const local = new Daemon(join(folder, 'local.toml'), localApi);
  const neighbor = new Daemon(join(folder, 'neighbor.toml'), neighborApi);
  writeFileSync(
    local.file,
    configuration({ as: 65001, at: LOCAL, peer: 65002, peerAt: NEIGHBOR, port: bgp }),
  );
  writeFileSync(
    neighbor.file,
    configuration({ as: 65002, at: NEIGHBOR, peer: 65001, peerAt: LOCAL, port: bgp }),
  );
  return {
    address: `127.0.0.1:${localApi}`,
    neighborApiPort: neighborApi,
    seen: async (table) => {
      const { stdout } = await run(gobgp, ['-p', neighborApi.toString(), 'global', 'rib', '-a', table]);
      return stdout;
    },
    startLocal: () => local.start(),
    stopLocal: () => local.stop(),
    startNeighbor: () => neighbor.start(),
    stopNeighbor: () => neighbor.stop(),
    close: async () => {
      await Promise.all([local.stop(), neighbor.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Daemon {
  readonly file: string;
  readonly #apiPort: number;
  #process: ChildProcess | undefined;

  constructor(file: string, apiPort: number) {
    this.file = file;
    this.#apiPort = apiPort;
  }

  /** Resolves when its API answers. */
  async start(): Promise<void> {
    const api = `127.0.0.1:${this.#apiPort}`;
    this.#process = spawn(gobgpd, ['-f', this.file, '--api-hosts', api, '--pprof-disable'], {
      stdio: 'ignore',
    });
    const until = performance.now() + 10_000;
    for (;;) {
      try {
        await run(gobgp, ['-p', this.#apiPort.toString(), 'global']);
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Killed, as by a crash. */
  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  }
}

interface Speaker {
  readonly as: number;
  readonly at: string;
  readonly peer: number;
  readonly peerAt: string;
  readonly port: number;
}

function configuration({ as, at, peer, peerAt, port }: Speaker): string {
  return `
[global.config]
  as = ${as}
  router-id = "${at}"
  port = ${port}
  local-address-list = ["${at}"]
[[neighbors]]
  [neighbors.config]
    peer-as = ${peer}
    neighbor-address = "${peerAt}"
  [neighbors.transport.config]
    local-address = "${at}"
    remote-port = ${port}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 9
    keepalive-interval = 3
${FAMILIES.map((name) => `  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "${name}"`).join('\n')}
`;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
