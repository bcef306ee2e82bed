/** The provider as an operator meets it: started, asked, stopped, started again. */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';

/** Of one test: each starts processes, on machines that may be busy. */
const PATIENCE_MS = 60_000;

const homes: string[] = [];
const running = new Set<ProviderProcess>();
const homeWith = (config?: string): string => {
  const home = makeTemporaryHome(config);
  homes.push(home);
  return home;
};
async function start(home: string, ...args: readonly string[]): Promise<ProviderProcess> {
  const provider = await startProviderProcess(home, args);
  running.add(provider);
  return provider;
}
afterEach(async () => {
  for (const provider of running) await provider.stop('SIGKILL');
  running.clear();
  for (const home of homes.splice(0)) removeHome(home);
});

/** What a command with `--json` printed. */
async function json(home: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await tocsin(home, ...args, '--json');
  if (code !== 0) throw new Error(`tocsin ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('starting and stopping', () => {
  test(
    'ready.json tells where everything is, on one port number for UDP and TCP, and is gone at the end',
    async () => {
      const provider = await start(homeWith());
      const { signal, data, admin, pid } = provider.ready;
      expect(signal.udp).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(signal.tcp).toBe(signal.udp);
      expect(data).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      expect(admin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(pid).toBe(provider.pid);
      const ended = await provider.stop('SIGTERM');
      expect(ended.code).toBe(0);
      expect(ended.stdout).toContain(
        `tocsin ready: signal ${signal.udp} (udp) ${signal.tcp} (tcp), data ${data}, admin ${admin}`,
      );
      expect(existsSync(join(provider.home, 'ready.json'))).toBe(false);
    },
    PATIENCE_MS,
  );

  test(
    'SIGINT ends it with 0 as well',
    async () => {
      const provider = await start(homeWith());
      expect((await provider.stop('SIGINT')).code).toBe(0);
    },
    PATIENCE_MS,
  );

  test(
    'the first start makes home, CA, certificates and the PSK; only their owner can read the keys',
    async () => {
      const { home } = await start(homeWith());
      const modeOf = (name: string): number => statSync(join(home, name)).mode & 0o777;
      expect(modeOf('')).toBe(0o700);
      for (const name of [
        'ca.key',
        'server.key',
        'clients/demo.key',
        'clients/other.key',
        'clients/demo-psk.psk',
      ])
        expect([name, modeOf(join('pki', name))]).toEqual([name, 0o600]);
      expect(modeOf('ticket-keys')).toBe(0o600);
      expect(modeOf('tocsin.db')).toBe(0o600);
      const domains = (await tocsin(home, 'domain', 'list', '--json')).stdout;
      expect(JSON.parse(domains)).toMatchObject([
        {
          id: 'demo',
          prefixes: ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'],
          names: ['demo.example'],
        },
        { id: 'other', prefixes: ['203.0.113.0/24'], names: [] },
      ]);
    },
    PATIENCE_MS,
  );

  test(
    '--no-demo makes neither domains nor clients',
    async () => {
      const { home } = await start(homeWith(), '--no-demo');
      expect((await tocsin(home, 'domain', 'list', '--json')).stdout).toBe('[]\n');
      expect(existsSync(join(home, 'pki/clients/demo.pem'))).toBe(false);
    },
    PATIENCE_MS,
  );

  test(
    'a second provider in the same home says so and ends with 1',
    async () => {
      const { home } = await start(homeWith());
      await expect(startSecond(home)).resolves.toMatchObject({
        code: 1,
        stderr: `tocsin: a provider is running in ${home} already\n`,
      });
      expect(existsSync(join(home, 'ready.json'))).toBe(true);
    },
    PATIENCE_MS,
  );

  test(
    'a port that is taken is told, and ends it with 1',
    async () => {
      const { ready } = await start(homeWith());
      const port = ready.admin.split(':').at(-1) ?? '';
      const ended = await tocsin(
        homeWith(),
        'serve',
        '--signal-port',
        '0',
        '--data-port',
        '0',
        '--admin-port',
        port,
      );
      expect(ended).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`127.0.0.1:${port} is taken`) as string,
      });
    },
    PATIENCE_MS,
  );

  test(
    'a mistake in config.yaml stops the start with line, column and fix',
    async () => {
      const home = homeWith('domains:\n  demo:\n    terminatingSeconds: five\n');
      const ended = await startSecond(home);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain(
        `${home}/config.yaml:3:25: domains.demo.terminatingSeconds: wants a number, found the text "five"; write for example terminatingSeconds: 120`,
      );
      expect(existsSync(join(home, 'ready.json'))).toBe(false);
    },
    PATIENCE_MS,
  );

  const startSecond = (home: string): ReturnType<typeof tocsin> =>
    tocsin(home, 'serve', '--signal-port', '0', '--data-port', '0', '--admin-port', '0');
});

describe('the admin listener', () => {
  test(
    'answers /healthz and /metrics, and nothing else',
    async () => {
      const { ready } = await start(homeWith());
      const health = await fetch(`${ready.admin}/healthz`);
      expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
      const metrics = await fetch(`${ready.admin}/metrics`);
      expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await metrics.text()).toContain('tocsin_connections{transport="udp"} 0\n');
      expect((await fetch(`${ready.admin}/`)).status).toBe(404);
      expect((await fetch(`${ready.admin}/metrics`, { method: 'POST' })).status).toBe(405);
    },
    PATIENCE_MS,
  );

  test(
    'stays on loopback whatever --host says',
    async () => {
      const { ready } = await start(homeWith(), '--host', '127.0.0.2');
      expect(ready.signal.udp).toMatch(/^127\.0\.0\.2:/);
      expect(ready.admin).toMatch(/^http:\/\/127\.0\.0\.1:/);
    },
    PATIENCE_MS,
  );
});

describe('the data channel’s address', () => {
  test(
    'A-017 tells a client that there is no data channel yet, and nobody else anything',
    async () => {
      const { home, ready } = await start(homeWith());
      const pki = (name: string): Buffer => readFileSync(join(home, 'pki', name));
      const ask = (credentials: object): Promise<{ status: number; body: string }> =>
        new Promise((resolve, reject) => {
          request(
            `${ready.data}/.well-known/host-meta`,
            { ca: pki('ca.pem'), ...credentials },
            (response) => {
              let body = '';
              response.on('data', (chunk: Buffer) => {
                body += chunk.toString();
              });
              response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
            },
          )
            .on('error', reject)
            .end();
        });
      const answer = await ask({ cert: pki('clients/demo.pem'), key: pki('clients/demo.key') });
      expect(answer.status).toBe(501);
      expect(JSON.parse(answer.body)).toMatchObject({
        'ietf-restconf:errors': { error: [{ 'error-tag': 'operation-not-supported' }] },
      });
      await expect(ask({})).rejects.toThrow();
    },
    PATIENCE_MS,
  );
});

describe('a mitigation', () => {
  test(
    'is requested, seen and withdrawn over the command line',
    async () => {
      const { home } = await start(homeWith('terminatingSeconds: 60\n'));
      const created = await json(home, 'mitigate', '--target-prefix', '192.0.2.10/32', '--lifetime', '600');
      expect(JSON.stringify(created)).toContain('"lifetime":600');
      expect((await tocsin(home, 'status', '--json')).stdout).toContain('192.0.2.10/32');
      const mid = /"mid":(\d+)/.exec(JSON.stringify(created))?.[1] ?? '';
      expect((await tocsin(home, 'withdraw', mid, '--json')).code).toBe(0);
      expect((await tocsin(home, 'status', '--json')).stdout).toContain('dots-client-withdrawn-mitigation');
    },
    PATIENCE_MS,
  );

  test(
    'of what another domain owns is refused with 1, and nothing of it is kept',
    async () => {
      const { home } = await start(homeWith());
      const refused = await tocsin(
        home,
        'mitigate',
        '--target-prefix',
        '203.0.113.1/32',
        '--lifetime',
        '600',
      );
      expect(refused.code).toBe(1);
      expect((await tocsin(home, 'status', '--json')).stdout).not.toContain('203.0.113.1');
    },
    PATIENCE_MS,
  );

  test(
    'outlives the provider, even one that is killed',
    async () => {
      const home = homeWith();
      const provider = await start(home);
      await json(home, 'mitigate', '--target-prefix', '192.0.2.10/32', '--lifetime', '600');
      await provider.stop('SIGKILL');
      await start(home);
      expect((await tocsin(home, 'status', '--json')).stdout).toContain('192.0.2.10/32');
    },
    PATIENCE_MS,
  );

  test(
    'can be asked for with a pre-shared key',
    async () => {
      const { home } = await start(homeWith());
      const psk = ['--psk-key-file', join(home, 'pki/clients/demo-psk.psk')];
      await json(home, 'mitigate', ...psk, '--target-prefix', '2001:db8::1/128', '--lifetime', '600');
      expect((await tocsin(home, 'status', ...psk, '--json')).stdout).toContain('2001:db8::1/128');
    },
    PATIENCE_MS,
  );
});

describe('the operators’ mitigator, which is used when none is configured', () => {
  test(
    'leaves a request in progress until an operator confirms it',
    async () => {
      const { home } = await start(homeWith());
      const { mid } = await json(home, 'mitigate', '--target-prefix', '192.0.2.10/32', '--lifetime', '600');
      const [order] = await until(
        async () => JSON.parse((await tocsin(home, 'mitigator', 'orders', '--json')).stdout) as Order[],
        (orders) => orders.length === 1,
      );
      expect(order).toMatchObject({
        domainId: 'demo',
        mid,
        state: 'open',
        targets: [{ prefix: '192.0.2.10/32' }],
      });
      expect((await tocsin(home, 'status', '--json')).stdout).toContain('attack-mitigation-in-progress');
      await tocsin(home, 'mitigator', 'confirm', 'demo', order?.cuid ?? '', String(mid));
      const status = await until(
        async () => (await tocsin(home, 'status', '--json')).stdout,
        (text) => text.includes('attack-successfully-mitigated'),
      );
      expect(status).toContain('192.0.2.10/32');
    },
    PATIENCE_MS,
  );

  interface Order {
    readonly cuid: string;
  }

  /** Asks again until it is so, for at most ten seconds. */
  async function until<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const value = await ask();
      if (isSo(value) || Date.now() > deadline) return value;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
});

describe('tocsin doctor', () => {
  test(
    'finds nothing wrong with a running provider, and names what is wrong with its fix',
    async () => {
      const { home } = await start(homeWith());
      expect(await tocsin(home, 'doctor')).toMatchObject({ code: 0, stderr: '' });
      chmodSync(home, 0o755);
      const ended = await tocsin(home, 'doctor');
      expect(ended.code).toBe(1);
      expect(ended.stdout).toContain(`PROBLEM  home         ${home} is open to others: chmod 700 ${home}`);
      const { code, stdout } = await tocsin(home, 'doctor', '--json');
      expect([code, (JSON.parse(stdout) as { ok: boolean }[]).filter(({ ok }) => !ok).length]).toEqual([
        1, 1,
      ]);
    },
    PATIENCE_MS,
  );
});

describe('clients come and go while the provider runs', () => {
  test(
    'a new one is served at once, a revoked one no more',
    async () => {
      const { home } = await start(homeWith());
      expect((await tocsin(home, 'client', 'add', 'demo', 'edge-2')).code).toBe(0);
      const credential = [
        '--cert',
        join(home, 'pki/clients/edge-2.pem'),
        '--key',
        join(home, 'pki/clients/edge-2.key'),
      ];
      await json(home, 'mitigate', ...credential, '--target-prefix', '192.0.2.20/32', '--lifetime', '600');
      expect((await tocsin(home, 'client', 'revoke', 'edge-2')).code).toBe(0);
      const refused = await tocsin(home, 'status', ...credential, '--timeout', '5');
      expect(refused.code).toBe(1);
    },
    PATIENCE_MS,
  );
});
