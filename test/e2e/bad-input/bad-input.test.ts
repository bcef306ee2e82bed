/** Hostile peers against the provider as it runs: each message gets the specified answer or silence, and leaves no trace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
} from '#test/support/provider-process.ts';
import { type HostileMessage, request, scope } from './hostile-message.ts';
import { HOSTILE_MESSAGES } from './hostile-messages.ts';
import { HostilePeer } from './hostile-peer.ts';

let provider: ProviderProcess;
/** The provider's database, read beside it. */
let database: SqliteParts;
let peer: HostilePeer;

beforeAll(async () => {
  // A heap with little room: the collector has to run, and a leak of some hundred bytes per message ends the process.
  process.env['NODE_OPTIONS'] = '--max-old-space-size=64 --max-semi-space-size=2';
  provider = await startProviderProcess(makeTemporaryHome());
  delete process.env['NODE_OPTIONS'];
  peer = await HostilePeer.of(provider);
  database = await openSqlite({ path: join(provider.home, 'tocsin.db'), clock: systemClock });
}, 30_000);

afterAll(async () => {
  peer.close();
  await database.close();
  await provider.stop();
  removeHome(provider.home);
});

test('there are at least 60 of them', () => {
  expect(new Set(HOSTILE_MESSAGES.map(({ title }) => title)).size).toBeGreaterThanOrEqual(60);
});

test.each(HOSTILE_MESSAGES.map((message) => [message.title, message] as const))(
  '%s',
  async (_title, message) => {
    const before = await stateOf(database);
    const answer = await peer.ask(message);
    expect(answer.code).toBe(message.expected);
    if (message.names !== undefined) expect(answer.diagnostic).toContain(message.names);
    expect(answer.diagnostic).not.toMatch(/node:|\.ts|\bat \//);
    expect(await stateOf(database)).toEqual(before);
  },
);

test('after them the same session asks and is heard', async () => {
  const accepted = request('a good request', '2.01', { payload: scope() });
  expect((await peer.ask(accepted)).code).toBe('2.01');
});

test('100,000 of them leave memory flat and the provider answering', async () => {
  const residentBefore = await flood(20_000);
  const residentAfter = await flood(100_000);
  expect(residentAfter - residentBefore).toBeLessThan(FLAT_BYTES);
  expect((await peer.probe()).code).toBe('4.04');
}, 240_000);

/** What the heap may still grow into. */
const FLAT_BYTES = 48 * 1024 * 1024;
const PER_PROBE = 50;
/** Message ids are 16 bits, and a repeated one is a duplicate: no session sends more than this. */
const PER_SESSION = 20_000;

/** Sends so many of the table in turn, a probe after every few; returns resident memory afterwards, in bytes. */
async function flood(count: number): Promise<number> {
  for (let sent = 0; sent < count; sent += PER_SESSION) {
    const peer = await HostilePeer.of(provider);
    for (let index = 0; index < PER_SESSION; index++) {
      peer.send(HOSTILE_MESSAGES[index % HOSTILE_MESSAGES.length] as HostileMessage);
      if (index % PER_PROBE === 0) await peer.probe();
    }
    peer.close();
  }
  await pause(1000);
  const status = readFileSync(`/proc/${provider.pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** What the store holds of the domain: its version and its mitigations. */
async function stateOf({ store }: SqliteParts): Promise<unknown> {
  const snapshot = await store.snapshot('demo' as DomainId);
  return { sv: snapshot?.sv, mitigations: snapshot?.mitigations };
}
