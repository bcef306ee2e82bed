/** PUT mitigate, decided and durable (SQLite, fsync), in one process: does its time grow with what is already active? */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { systemRandom } from '#adapters/random/system-random.ts';
import { openSqlite } from '#adapters/sqlite/store.ts';
import type { Command } from '#core/mitigation/command.ts';
import { DEFAULT_POLICY } from '#core/model/domain.ts';
import type { Cuid, DomainId, IdentityId, Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { MitigationRequestEvent, MitigationRequestResult } from '#core/ports/mitigation-request.ts';
import { createMitigationRequest } from '#functions/mitigation-request/app.ts';
import { type Benchmark, type Figure, percentile, rounded } from './figure.ts';

const SIZES = [10, 1000, 50_000];
const SAMPLES = 2000;
const BATCH = 50;
const DOMAIN = 'bench' as DomainId;
const IDENTITY = 'b'.repeat(43) as IdentityId;
const CUID = 'bench-client-0000000000' as Cuid;

type RequestMitigation = (event: MitigationRequestEvent) => Promise<MitigationRequestResult>;

export const putMitigate: Benchmark = {
  name: 'put-mitigate',
  about: 'time of a durable decision at 10, 1,000 and 50,000 active mitigations',
  async run(progress) {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'));
    const parts = await openSqlite({ path: join(folder, 'tocsin.db'), clock: systemClock });
    try {
      await parts.store.putDomain({
        id: DOMAIN,
        name: 'Bench',
        prefixes: ['2001:db8::/32'],
        names: [],
        policy: DEFAULT_POLICY,
      });
      await parts.store.putIdentity({
        id: IDENTITY,
        domainId: DOMAIN,
        role: 'client',
        status: 'active',
        label: 'bench',
        createdAt: 0,
      });
      return await measure(
        createMitigationRequest({
          store: parts.store,
          resolver: { resolve: () => Promise.resolve(undefined) },
          clock: systemClock,
          random: systemRandom,
        }),
        progress,
      );
    } finally {
      await parts.close();
      rmSync(folder, { recursive: true });
    }
  },
};

async function measure(request: RequestMitigation, progress: (text: string) => void): Promise<Figure[]> {
  const measured: { active: number; p50: number; p99: number }[] = [];
  let mid = 0;
  let active = 0;
  for (const size of SIZES) {
    progress(`filling up to ${size} active`);
    while (active < size) {
      const commands = Array.from({ length: Math.min(BATCH, size - active) }, () => put(mid++, active++));
      expectCreated(await request({ domainId: DOMAIN, commands }));
    }
    const times: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      // A higher mid on the same address overrides the old one: the number of active mitigations stays.
      const command = put(mid++, Math.floor((sample * size) / SAMPLES));
      const start = performance.now();
      expectCreated(await request({ domainId: DOMAIN, commands: [command] }));
      times.push(performance.now() - start);
    }
    times.sort((left, right) => left - right);
    measured.push({ active: size, p50: percentile(times, 0.5), p99: percentile(times, 0.99) });
  }
  const [smallest] = measured;
  return measured.flatMap(({ active, p50, p99 }) => [
    {
      name: `PUT mitigate p50, ${active} active`,
      value: rounded(p50),
      unit: 'ms',
      target: { says: 'below 10 ms', met: p50 < 10 },
    },
    {
      name: `PUT mitigate p99, ${active} active`,
      value: rounded(p99),
      unit: 'ms',
      ...(smallest === undefined || active === smallest.active
        ? {}
        : {
            peer: { name: `at ${smallest.active} active`, value: rounded(smallest.p99) },
            ratio: rounded(p99 / smallest.p99),
            target: { says: 'within 20 % of the smallest', met: p99 / smallest.p99 <= 1.2 },
          }),
    },
  ]);
}

function put(mid: number, host: number): Command {
  return {
    type: 'put',
    requester: { identityId: IDENTITY, cuid: CUID, source: 'client' },
    mid: mid as Mid,
    scope: {
      ...EMPTY_SCOPE,
      targetPrefixes: [`2001:db8::${(host >>> 16).toString(16)}:${(host & 0xffff).toString(16)}/128`],
    },
    lifetimeSeconds: 3600,
    triggerMitigation: true,
  };
}

function expectCreated({ answers }: MitigationRequestResult): void {
  const refused = answers.find((answer) => answer.result !== 'created');
  if (refused !== undefined) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
}
