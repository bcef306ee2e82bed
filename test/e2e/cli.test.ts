/** The agent's commands as a customer types them, against a provider in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';

let provider: ProviderProcess;
let home: string;

beforeAll(async () => {
  // Longer than the 3 s between notifications, or an observer may never see a mitigation terminating.
  home = makeTemporaryHome('domains:\n  demo: { terminatingSeconds: 6 }\n');
  provider = await startProviderProcess(home);
}, 30_000);
afterAll(async () => {
  const { code, stderr } = await provider.stop();
  removeHome(home);
  // Whatever was asked of it, it is still there to be stopped.
  expect([code, stderr.replaceAll(/^\{.*\}\n/gm, '')]).toEqual([0, '']);
});

type Json = Readonly<Record<string, unknown>>;
const clientFile = (name: string): string => join(home, 'pki', 'clients', name);
const OTHER = ['--cert', 'other.pem', '--key', 'other.key'];
const asOther = (): string[] => OTHER.map((word) => (word.startsWith('--') ? word : clientFile(word)));
const asPsk = (): string[] => ['--psk-key-file', clientFile('demo-psk.psk')];

/** What a command printed with `--json`, which has to succeed. */
async function json(...args: readonly string[]): Promise<Json> {
  const { code, stdout, stderr } = await tocsin(home, ...args, '--json');
  if (code !== 0) throw new Error(`tocsin ${args.join(' ')}: ${code} ${stderr}`);
  return JSON.parse(stdout) as Json;
}

async function entries(...args: readonly string[]): Promise<readonly Json[]> {
  return (await json('status', ...args))['scope'] as readonly Json[];
}

test('A-156 S-049 S-052 S-086 a request is accepted, seen, refreshed and withdrawn', async () => {
  const created = await json(
    'mitigate',
    '--target-prefix',
    '192.0.2.1',
    '--target-protocol',
    'tcp',
    '--target-port',
    '80',
    '--target-port',
    '8000-8100',
  );
  expect(created).toMatchObject({ code: '2.01', lifetime: 3600, transport: 'udp' });
  const { mid, cuid } = created as { mid: number; cuid: string };
  expect(cuid).toMatch(/^[A-Za-z0-9_-]{22}$/);
  const [entry] = await entries(mid.toString());
  expect(entry).toMatchObject({
    mid,
    'target-prefix': ['192.0.2.1/32'],
    'target-protocol': [6],
    'target-port-range': [{ 'lower-port': 80 }, { 'lower-port': 8000, 'upper-port': 8100 }],
    status: 'attack-mitigation-in-progress',
  });
  const refreshed = await json(
    'mitigate',
    '--mid',
    mid.toString(),
    '--target-prefix',
    '192.0.2.1/32',
    '--target-protocol',
    '6',
    '--target-port',
    '80',
    '--target-port',
    '8000-8100',
    '--lifetime',
    '600',
  );
  expect(refreshed).toMatchObject({ code: '2.04', mid, lifetime: 600, cuid });
  expect(await json('withdraw', mid.toString())).toEqual({ withdrawn: [mid] });
}, 60_000);

test('S-064 every new request has a higher mid', async () => {
  const mids: number[] = [];
  for (const address of ['192.0.2.11', '192.0.2.12', '192.0.2.13'])
    mids.push(Number((await json('mitigate', '--target-prefix', address))['mid']));
  expect(mids[1]).toBeGreaterThan(mids[0] ?? Infinity);
  expect(mids[2]).toBeGreaterThan(mids[1] ?? Infinity);
  expect((await json('withdraw', '--all'))['withdrawn']).toEqual(expect.arrayContaining(mids));
}, 60_000);

test('--wait --json is one document: what was granted, and what became of it', async () => {
  const prefix = ['--target-prefix', '192.0.2.66'];
  const early = await tocsin(home, 'mitigate', ...prefix, '--wait', '0.5', '--json');
  expect(early.code).toBe(1);
  const { error } = JSON.parse(early.stdout) as { error: Json };
  expect(error['message']).toContain('after 0.5 s: attack-mitigation-in-progress');
  const [mid] = error['accepted'] as readonly [number];
  const { cuid } = await json('mitigate', '--mid', String(mid), ...prefix);
  await json('mitigator', 'confirm', 'demo', String(cuid), String(mid));
  const done = await json('mitigate', '--mid', String(mid), ...prefix, '--wait', '20');
  expect(done).toMatchObject({ mid, code: '2.04', status: 'attack-successfully-mitigated' });
  await json('withdraw', String(mid));
}, 60_000);

test('A-156 a refusal shows the server’s code and words, changes nothing, and ends with 1', async () => {
  const refused = await tocsin(home, 'mitigate', '--target-prefix', '203.0.113.1');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/4\.00 .*203\.0\.113\.1\/32/);
  expect(refused.stdout).toBe('');
  const loopback = await tocsin(home, 'mitigate', '--target-prefix', '127.0.0.1', '--json');
  expect(loopback.code).toBe(1);
  expect(JSON.parse(loopback.stdout)).toMatchObject({
    error: { code: '4.00', diagnostic: expect.stringContaining('loopback') as string },
  });
}, 60_000);

test('each client sees its own mitigations, over UDP, over TCP, with a pre-shared key', async () => {
  const mine = Number((await json('mitigate', '--target-prefix', '192.0.2.21', '--tcp'))['mid']);
  const psk = await json('mitigate', '--target-prefix', '192.0.2.22', ...asPsk());
  const other = await json('mitigate', '--target-prefix', '203.0.113.5', ...asOther());
  expect(new Set([psk['cuid'], other['cuid']]).size).toBe(2);
  expect((await entries('--udp')).map((entry) => entry['mid'])).toContain(mine);
  expect((await entries(...asOther())).map((entry) => entry['target-prefix'])).toEqual([['203.0.113.5/32']]);
  expect((await entries(...asPsk(), '--tcp')).map((entry) => entry['target-prefix'])).toEqual([
    ['192.0.2.22/32'],
  ]);
  await json('withdraw', '--all');
}, 60_000);

test('S-058 when the cuid is another client’s, a new one is made, used and kept', async () => {
  const { cuid } = await json('mitigate', '--target-prefix', '192.0.2.31');
  await json('withdraw', '--all');
  const first = await json('mitigate', '--target-prefix', '192.0.2.32', ...asPsk());
  await json('withdraw', '--all', ...asPsk());
  const collided = await tocsin(
    home,
    'mitigate',
    '--target-prefix',
    '192.0.2.33',
    '--cuid',
    String(cuid),
    ...asPsk(),
  );
  expect(collided.code).toBe(1);
  expect(collided.stderr).toContain('4.09 conflict, cuid-collision');

  const twin = makeTemporaryHome();
  try {
    const server = ['--server', provider.ready.signal.udp, '--ca', join(home, 'pki', 'ca.pem')];
    // The PSK client claims the cuid that the other domain's certificate derives, before that client does.
    const derived = String((await json('mitigate', '--target-prefix', '203.0.113.40', ...asOther()))['cuid']);
    expect(derived).not.toBe(first['cuid']);
    const issued = await tocsin(home, 'client', 'add', 'demo', 'late', '--json');
    expect(issued.code).toBe(0);
    const late = ['--cert', clientFile('late.pem'), '--key', clientFile('late.key')];
    const own = await tocsin(twin, 'status', ...server, ...late, '--json');
    expect([own.code, own.stdout]).toEqual([0, '{"scope":[]}\n']);
    const lateCuid = await derivedCuid(late);
    expect(
      (await json('mitigate', '--target-prefix', '192.0.2.41', '--cuid', lateCuid, ...asPsk()))['cuid'],
    ).toBe(lateCuid);
    const renewed = JSON.parse(
      (await tocsin(twin, 'mitigate', '--target-prefix', '192.0.2.42', ...server, ...late, '--json')).stdout,
    ) as Json;
    expect(renewed).toMatchObject({ code: '2.01' });
    expect(renewed['cuid']).not.toBe(lateCuid);
    expect(renewed['cuid']).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const again = JSON.parse(
      (await tocsin(twin, 'mitigate', '--target-prefix', '192.0.2.43', ...server, ...late, '--json')).stdout,
    ) as Json;
    expect(again['cuid']).toBe(renewed['cuid']);
    await json('withdraw', '--all', '--cuid', lateCuid, ...asPsk());
  } finally {
    removeHome(twin);
  }
}, 90_000);

async function derivedCuid([, cert = '']: readonly string[]): Promise<string> {
  const { derivedCuidOfCertificate } = await import('#adapters/pki/identity.ts');
  return derivedCuidOfCertificate(readFileSync(cert, 'utf8'));
}

test('S-065 S-066 mids start again from 0 in peacetime, preconfigured requests first', async () => {
  const preconfigure = async (address: string, ...args: readonly string[]): Promise<unknown> =>
    (await json('mitigate', '--no-trigger', '--target-prefix', address, ...args, ...asPsk()))['mid'];
  await json('mitigate', '--target-prefix', '198.51.100.9', ...asPsk());
  await preconfigure('198.51.100.1', '--target-port', '53', '--mid', '3221225471');
  expect(await preconfigure('198.51.100.2')).toBe(3221225472);

  for (const { mid, ...entry } of await entries(...asPsk()))
    if (entry['trigger-mitigation'] !== false) await json('withdraw', String(mid), ...asPsk());
  while ((await entries(...asPsk())).length > 2) await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await preconfigure('198.51.100.3')).toBe(2);
  const renumbered = (await entries(...asPsk())).map((entry) => [
    entry['mid'],
    entry['target-prefix'],
    entry['target-port-range'],
    entry['trigger-mitigation'],
  ]);
  expect(renumbered).toEqual([
    [0, ['198.51.100.1/32'], [{ 'lower-port': 53 }], false],
    [1, ['198.51.100.2/32'], undefined, false],
    [2, ['198.51.100.3/32'], undefined, false],
  ]);
  await json('withdraw', '--all', ...asPsk());
}, 120_000);

test('configuration: all parameters over UDP, the heartbeat alone over TCP', async () => {
  const udp = await json('config', '--udp');
  expect(udp['idle-config']).toMatchObject({
    'heartbeat-interval': { 'min-value': 15, 'max-value': 240, 'current-value': 30 },
    'ack-timeout': { 'current-value-decimal': '2.00' },
  });
  const tcp = await json('config', '--tcp');
  expect(Object.keys(tcp['idle-config'] as Json)).not.toContain('ack-timeout');
}, 60_000);

describe('when there is no session', () => {
  test('nothing listens: what, where and the fix', async () => {
    const ended = await tocsin(home, 'status', '--server', '127.0.0.1:1', '--timeout', '5');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/no session with 127\.0\.0\.1:1: .*\nIs the server running/);
  }, 30_000);

  test('the server is not the one its authority stands for', async () => {
    const ended = await tocsin(home, 'status', '--ca', clientFile('other.pem'));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('--ca');
  }, 30_000);

  test('no server is known', async () => {
    const empty = makeTemporaryHome();
    const ended = await tocsin(empty, 'status', '--json');
    removeHome(empty);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('--server HOST:PORT');
    expect(JSON.parse(ended.stdout)).toHaveProperty('error.message');
  }, 30_000);

  test('credentials are missing, unreadable or no credentials', async () => {
    const notPem = join(home, 'not.pem');
    writeFileSync(notPem, 'hello');
    for (const [args, words] of [
      [['--cert', clientFile('demo.pem')], '--key is missing'],
      [['--cert', '/nowhere.pem', '--key', clientFile('demo.key')], 'cannot read /nowhere.pem'],
      [['--cert', notPem, '--key', clientFile('demo.key')], 'is not a PEM file'],
      [['--psk-key-file', notPem], '--psk-identity is missing'],
      [['--psk-identity', 'x', '--psk-key-file', notPem], 'hexadecimal'],
    ] as const) {
      const ended = await tocsin(home, 'status', ...args);
      expect([args, ended.code]).toEqual([args, 1]);
      expect(ended.stderr).toContain(words);
    }
  }, 60_000);
});

describe('--watch', () => {
  interface Watching {
    /** Waits for a line that the pattern fits. */
    said(pattern: RegExp): Promise<void>;
    interrupt(): void;
    readonly code: Promise<number | null>;
  }

  const processes = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of processes) child.kill('SIGKILL');
    processes.clear();
  });

  function watch(...args: readonly string[]): Watching {
    const child = spawn(process.execPath, ['local/cli/main.ts', 'status', '--watch', ...args], {
      env: { ...process.env, TOCSIN_HOME: home, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.add(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return {
      said: async (pattern) => {
        const patience = AbortSignal.timeout(30_000);
        while (!pattern.test(text)) {
          if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} after: ${text}`);
          patience.throwIfAborted();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
      interrupt: () => child.kill('SIGINT'),
      code: once(child, 'close').then(() => child.exitCode),
    };
  }

  test('shows changes as they come, and Ctrl-C ends it with 0', async () => {
    const { mid } = await json('mitigate', '--target-prefix', '192.0.2.51');
    const watching = watch(String(mid), '--json');
    await watching.said(/"status":"attack-mitigation-in-progress"/);
    await json('withdraw', String(mid));
    await watching.said(/"status":"dots-client-withdrawn-mitigation"/);
    watching.interrupt();
    expect(await watching.code).toBe(0);
  }, 60_000);

  test('ends with 0 when what it watches is over', async () => {
    const { mid } = await json('mitigate', '--target-prefix', '192.0.2.61');
    const watching = watch(String(mid));
    await watching.said(/attack-mitigation-in-progress {2}192\.0\.2\.61\/32/);
    await json('withdraw', String(mid));
    await watching.said(/ is over\n$/);
    expect(await watching.code).toBe(0);
  }, 60_000);
});
