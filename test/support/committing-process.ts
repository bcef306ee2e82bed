/**
 * `node committing-process.ts DATABASE LANES COUNT`: commits mitigations in one domain per lane, `COUNT` each (0: until it
 * is killed), and prints `domain mid` for each commit that was acknowledged, or `refused CODE`. After a refusal a lane
 * tries the same commit again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { openSqlite } from '#adapters/sqlite/store.ts';
import { StoreError } from '#adapters/store/store-error.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { makeDomain, makeMitigation, mid } from './records.ts';

const [path = '', lanes = '1', count = '0'] = process.argv.slice(2);
const { store, close } = await openSqlite({ path, clock: systemClock });
const end = Number(count) === 0 ? Number.POSITIVE_INFINITY : Number(count);

await Promise.all(Array.from({ length: Number(lanes) }, (_, lane) => run(`lane-${lane}` as DomainId)));
await close();

async function run(domainId: DomainId): Promise<void> {
  await store.putDomain(makeDomain({ id: domainId }));
  for (let number = 0; number < end; ) {
    try {
      const mitigations = [makeMitigation({ domainId, mid: mid(number) })];
      const result = await store.commit({ domainId, expectedSv: number, mitigations, audit: [] });
      process.stdout.write(result.ok ? `${domainId} ${number}\n` : `lost ${result.reason}\n`);
      number++;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      process.stdout.write(`refused ${error.code}: ${error.message}\n`);
      await pause(50);
    }
  }
}
