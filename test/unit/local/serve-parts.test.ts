import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileWhole } from '#local/home.ts';
import { Closers } from '#local/serve/closers.ts';
import { Health } from '#local/serve/health.ts';
import { invokeInProcess } from '#local/serve/invoke.ts';
import { takeLock } from '#local/serve/lock.ts';
import { formatMetrics } from '#local/serve/metrics.ts';
import { currentTicketKeys } from '#local/serve/ticket-keys.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-serve-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the lock of a home', () => {
  test('is had once, and again after its release', () => {
    const path = join(folder, 'lock');
    const first = takeLock(path);
    expect(first).toBeDefined();
    expect(takeLock(path)).toBeUndefined();
    first?.release();
    const second = takeLock(path);
    expect(second).toBeDefined();
    second?.release();
  });
});

test('a file that cannot be written whole leaves nothing beside it', () => {
  mkdirSync(join(folder, 'taken', 'inside'), { recursive: true });
  expect(() => writeFileWhole(join(folder, 'taken'), 'text', 0o600)).toThrow();
  expect(readdirSync(folder)).toEqual(['taken']);
});

describe('ticket keys', () => {
  test('are kept over restarts, in a file nobody else can read', () => {
    const path = join(folder, 'ticket-keys');
    const [key] = currentTicketKeys(path, Date.now());
    expect(key).toHaveLength(80);
    expect(currentTicketKeys(path, Date.now()).map((bytes) => [...bytes])).toEqual([[...(key ?? [])]]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('change after a day; the one before is still accepted, the one before that is not', () => {
    const path = join(folder, 'ticket-keys');
    const keysOnDay = (day: number): string[] => {
      const keys = currentTicketKeys(path, day * 86_400_000);
      utimesSync(path, day * 86_400, day * 86_400);
      return keys.map((key) => Buffer.from(key).toString('hex'));
    };
    const [first] = keysOnDay(1);
    const [second, beforeSecond] = keysOnDay(2);
    const [third, beforeThird, ...older] = keysOnDay(3);
    expect(new Set([first, second, third]).size).toBe(3);
    expect([beforeSecond, beforeThird]).toEqual([first, second]);
    expect(older).toEqual([]);
    expect(readFileSync(path)).toHaveLength(160);
  });
});

test('closers run in reverse order, and one that fails stops no other', async () => {
  const closers = new Closers();
  const closed: number[] = [];
  closers.add(() => void closed.push(1));
  closers.add(() => Promise.reject(new Error('stuck')));
  closers.add(() => void closed.push(3));
  await expect(closers.closeAll()).rejects.toThrow('not everything could be closed');
  expect(closed).toEqual([3, 1]);
});

test('health names what fails, once in the log, until it works again', async () => {
  const log: string[] = [];
  const health = new Health((event) => log.push(JSON.stringify(event)));
  const fail = (): Promise<never> => Promise.reject(new Error('no disk'));
  await health.watch('outbox', fail);
  await health.watch('outbox', fail);
  expect(health.trouble()).toBe('outbox: no disk');
  expect(health.failures('outbox')).toBe(2);
  await health.watch('outbox', () => Promise.resolve());
  expect(health.trouble()).toBeUndefined();
  expect(log).toEqual([
    '{"event":"part-failed","part":"outbox","error":"no disk"}',
    '{"event":"part-works","part":"outbox"}',
  ]);
});

test('a function is called through JSON: what JSON loses does not arrive', async () => {
  const functions = invokeInProcess({
    authorizer: (request) => {
      expect(Object.keys(request)).toEqual(['identityId']);
      return Promise.resolve({ allowed: false, reason: 'revoked', extra: undefined });
    },
    mitigationRequest: () => Promise.reject(new Error('not asked')),
  });
  const request = { identityId: 'x', lost: undefined };
  expect(Object.keys(await functions.authorize(request))).toEqual(['allowed', 'reason']);
  await expect(functions.requestMitigation({ domainId: 'd' as never, commands: [] })).rejects.toThrow(
    'not asked',
  );
});

test('metrics are Prometheus text', () => {
  const text = formatMetrics([
    {
      name: 'tocsin_sessions',
      help: 'Open sessions.',
      type: 'gauge',
      samples: [{ labels: { transport: 'udp' }, value: 2 }],
    },
    {
      name: 'tocsin_x_total',
      help: 'a\nb',
      type: 'counter',
      samples: [{ labels: { why: 'say "no"\\' }, value: 0 }],
    },
  ]);
  expect(text).toBe(
    '# HELP tocsin_sessions Open sessions.\n# TYPE tocsin_sessions gauge\ntocsin_sessions{transport="udp"} 2\n' +
      '# HELP tocsin_x_total a\\nb\n# TYPE tocsin_x_total counter\ntocsin_x_total{why="say \\"no\\"\\\\"} 0\n',
  );
});
