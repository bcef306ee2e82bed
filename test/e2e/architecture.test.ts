/** RFC 8811 and RFC 8612 at the provider as it runs, by the customer's and the operator's commands. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startLossyRelay } from '#test/support/lossy-relay.ts';
import { eventually } from '#test/support/mitigator-world.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';

let home: string;
let provider: ProviderProcess;

beforeAll(async () => {
  home = makeTemporaryHome('limits: { maxLifetimeSeconds: 7200 }\nterminatingSeconds: 60\n');
  provider = await startProviderProcess(home);
}, 30_000);
afterAll(async () => {
  await provider.stop('SIGKILL');
  removeHome(home);
});

type Json = Readonly<Record<string, unknown>>;

/** What a command printed with `--json`, which has to succeed. */
async function json<T = Json>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await tocsin(home, ...args, '--json');
  if (code !== 0) throw new Error(`tocsin ${args.join(' ')}: ${code} ${stderr}`);
  return JSON.parse(stdout) as T;
}

test('A-032 the session is there in seconds, with its parameters, before anything is asked to be mitigated', async () => {
  const startedAt = performance.now();
  expect(await json('config')).toHaveProperty('idle-config');
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(await json('status')).toEqual({ scope: [] });
}, 30_000);

test('A-039 A-221 a request without end, with no attack under way, is granted what policy allows, and that is shown', async () => {
  const granted = await json('mitigate', '--target-prefix', '192.0.2.1', '--lifetime', '-1');
  expect(granted).toMatchObject({ code: '2.01', lifetime: 7200 });
}, 30_000);

test('A-046 what an operator assigns to a domain counts for the next request', async () => {
  const ask = (): ReturnType<typeof tocsin> => tocsin(home, 'mitigate', '--target-prefix', '100.64.9.1');
  expect((await ask()).code).toBe(1);
  await json('domain', 'set', 'demo', '--prefix', '192.0.2.0/24', '--prefix', '100.64.9.0/24');
  expect((await ask()).code).toBe(0);
  await json('domain', 'set', 'demo', '--prefix', '192.0.2.0/24');
  const refused = await ask();
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('100.64.9.1/32')]);
}, 60_000);

test('A-183 the provider listens on what ready.json tells and nowhere else; its admin page on loopback', () => {
  const { signal, data, admin } = provider.ready;
  const ports = [signal.udp, signal.tcp, data, admin].map((address) => Number(address.split(':').at(-1)));
  const listening = listeningSockets(provider.pid);
  expect(listening.filter(({ protocol }) => protocol.startsWith('udp')).map(({ port }) => port)).toEqual([
    ports[0],
  ]);
  const tcp = listening.filter(({ protocol }) => protocol.startsWith('tcp')).map(({ port }) => port);
  expect(tcp.toSorted()).toEqual(ports.slice(1).toSorted());
  expect(listening.map(({ address }) => address)).toEqual(listening.map(() => '0100007F'));
});

/** From /proc: addresses are as the kernel prints them, 0100007F is 127.0.0.1. */
function listeningSockets(pid: number): readonly { protocol: string; address: string; port: number }[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        // Closed since the folder was read.
        return undefined;
      }
    }),
  );
  const LISTEN = '0A';
  const UNCONNECTED = '07';
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) =>
    readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => {
        const isOpen = state === (protocol.startsWith('tcp') ? LISTEN : UNCONNECTED);
        return isOpen && own.has(inode);
      })
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        return { protocol, address, port: Number.parseInt(port, 16) };
      }),
  );
}

test('A-193 through loss, reordering and duplication a mitigation is requested once, seen and withdrawn', async () => {
  const relay = await startLossyRelay(provider.signalPort, {
    loss: 0.3,
    reordered: 0.25,
    duplicated: 0.1,
    seed: 8811,
  });
  const before = await json<{ scope: Json[] }>('status');
  const through = ['--server', `127.0.0.1:${relay.port}`, '--udp', '--timeout', '90'];
  try {
    const created = await json('mitigate', ...through, '--target-prefix', '192.0.2.93');
    expect(['2.01', '2.04']).toContain(created['code']);
    const { scope } = await json<{ scope: Json[] }>('status', ...through);
    expect(scope.length).toBe(before.scope.length + 1);
    expect(scope.filter((entry) => String(entry['target-prefix']) === '192.0.2.93/32')).toHaveLength(1);
    await json('withdraw', ...through, String(created['mid']));
    const after = await json<{ scope: Json[] }>('status', String(created['mid']));
    expect(after.scope[0]).toMatchObject({ status: 'dots-client-withdrawn-mitigation' });
    expect(relay.counts.lost).toBeGreaterThan(5);
  } finally {
    relay.close();
  }
}, 300_000);

test('A-184 only the owner can read keys, state and orders, and no log tells a key', async () => {
  const psk = join(home, 'pki/clients/demo-psk.psk');
  await json('mitigate', '--psk-key-file', psk, '--target-prefix', '192.0.2.184');
  await eventually(
    () => json<readonly Json[]>('mitigator', 'orders'),
    (orders) => orders.length > 0,
  );
  expect(statSync(home).mode & 0o777).toBe(0o700);
  const secret = /\.(key|psk)$|tocsin\.db|ticket-keys|orders\//;
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
    (name) => secret.test(name) && statSync(join(home, name)).isFile(),
  );
  expect(files.length).toBeGreaterThan(8);
  for (const name of files) expect([name, statSync(join(home, name)).mode & 0o077]).toEqual([name, 0]);
  const [, key = ''] = readFileSync(psk, 'utf8').split('\n');
  expect(key).toMatch(/^[0-9a-f]{32,}$/);
  const { stdout, stderr } = await provider.stop();
  expect(`${stdout}${stderr}`).toContain('session-opened');
  expect(`${stdout}${stderr}`).not.toContain(key);
  expect(`${stdout}${stderr}`).not.toContain('PRIVATE KEY');
}, 60_000);
