import type { Mid } from '#core/model/identifiers.ts';
import type { Mitigation, ReportState } from '#core/model/mitigation.ts';
import { createStoppedAttacks } from '#functions/sweeper/stopped-attacks.ts';
import { DEMO, type Provider, startProvider } from '#test/unit/functions-mitigation-request/provider.ts';
import { lost, prefixes, put, requester } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');

let provider: Provider;
beforeEach(async () => {
  provider = await startProvider();
  await provider.ask(
    put(alice, 5, prefixes('192.0.2.0/24'), { triggerMitigation: false }),
    put(alice, 6, prefixes('198.51.100.0/24')),
  );
});
afterEach(() => provider.parts.close());

const round = (): Promise<number> =>
  createStoppedAttacks({
    store: provider.store,
    requestMitigation: provider.another(),
    clock: provider.clock,
  })();

async function stored(mid: number): Promise<Mitigation> {
  const mitigation = await provider.store.mitigation({ domainId: DEMO, cuid: alice.cuid, mid: mid as Mid });
  if (mitigation === undefined) throw new Error(`no mid ${mid}`);
  return mitigation;
}

async function report(mid: number, state: ReportState): Promise<void> {
  const { domainId, cuid, mid: known, generation } = await stored(mid);
  const key = { domainId, cuid, mid: known };
  await provider.store.putReport({
    ...key,
    mitigator: 'edge',
    generation,
    state,
    actualTargets: [],
    updatedAt: provider.clock.now,
  });
}

test('S-191 a loss-triggered mitigation ends when its mitigators have nothing left to drop', async () => {
  await provider.ask(lost(alice));
  await report(5, 'active');
  expect(await round()).toBe(0);
  expect(await stored(5)).toMatchObject({ status: 'inProgress' });
  await report(5, 'stopped');
  expect(await round()).toBe(1);
  expect(await stored(5)).toMatchObject({ status: 'signalLoss', desired: 'absent' });
  expect((await stored(5)).notices.slice(-2)).toMatchObject([
    { status: 'stopped', repeat: 4 },
    { status: 'signalLoss' },
  ]);
  expect(await round()).toBe(0);
});

test('an immediate one stays, and so does one that waits', async () => {
  await report(5, 'stopped');
  await report(6, 'stopped');
  expect(await round()).toBe(0);
  expect(await stored(6)).toMatchObject({ status: 'inProgress', desired: 'present' });
});
