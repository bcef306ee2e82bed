/** RFC 9132 §4.4.2, Table 3: the status that a client sees is what mitigators have proven. */
import { visibleStatus } from '#core/mitigation/visible-status.ts';
import type { Mitigation, MitigationReport, ReportState } from '#core/model/mitigation.ts';
import { lost, prefixes, put, requester, World, withdrawal } from '#test/unit/mitigation/fixtures.ts';

const alice = requester('alice');

const active = (): { world: World; mitigation: Mitigation } => {
  const world = new World();
  world.ask(put(alice, 1, prefixes('192.0.2.1/32')));
  return { world, mitigation: world.record(alice, 1) };
};

const report = (
  mitigation: Mitigation,
  mitigator: string,
  state: ReportState,
  more: Partial<MitigationReport> = {},
): MitigationReport => ({
  domainId: mitigation.domainId,
  cuid: mitigation.cuid,
  mid: mitigation.mid,
  mitigator,
  generation: mitigation.generation,
  state,
  actualTargets: [],
  updatedAt: 0,
  ...more,
});

test.each<[string, ReportState[], string]>([
  ['nothing reported', [], 'inProgress'],
  ['still being set up', ['pending'], 'inProgress'],
  ['one refused, another being set up', ['refused', 'pending'], 'inProgress'],
  ['proven', ['active'], 'mitigated'],
  ['one proven, another failed', ['failed', 'active'], 'mitigated'],
  ['one proven, another being set up', ['pending', 'active'], 'mitigated'],
  ['no attack left', ['stopped'], 'stopped'],
  ['no attack left, another refused', ['stopped', 'refused'], 'stopped'],
  ['all refused or failed', ['refused', 'failed'], 'exceededCapability'],
])('S-047 S-182 S-183 S-184 S-185 %s', (_what, states, status) => {
  const { world, mitigation } = active();
  const reports = states.map((state, index) => report(mitigation, `m${index}`, state));
  expect(visibleStatus(mitigation, reports, world.now).status).toBe(status);
});

test('a proof of an older generation proves nothing', () => {
  const { world, mitigation } = active();
  const old = report(mitigation, 'edge', 'active', { generation: mitigation.generation - 1 });
  expect(visibleStatus(mitigation, [old], world.now)).toEqual({ status: 'inProgress' });
});

test('S-186 S-189 a status of the lifecycle is told whatever mitigators report', () => {
  const { world, mitigation } = active();
  world.ask(withdrawal(alice, 1));
  const terminating = world.record(alice, 1);
  expect(visibleStatus(terminating, [report(mitigation, 'edge', 'active')], world.now).status).toBe(
    'activeButTerminating',
  );
  world.ask(put(alice, 2, prefixes('198.51.100.1/32'), { triggerMitigation: false }));
  expect(visibleStatus(world.record(alice, 2), [], world.now).status).toBe('signalLoss');
  world.ask(lost(alice));
  expect(visibleStatus(world.record(alice, 2), [], world.now).status).toBe('inProgress');
});

test('S-190 status 3 stays until the request is withdrawn', () => {
  const { world, mitigation } = active();
  const stopped = [report(mitigation, 'edge', 'stopped')];
  world.pass(1800);
  expect(visibleStatus(world.record(alice, 1), stopped, world.now).status).toBe('stopped');
});

test('S-179 totals are summed over mitigators and wrap at 2^64-1', () => {
  const { world, mitigation } = active();
  const counters = (bytesDropped: bigint, packetsDropped: bigint): Partial<MitigationReport> => ({
    counters: { bytesDropped, packetsDropped },
  });
  const reports = [
    report(mitigation, 'edge', 'active', counters(2n ** 64n - 1n, 5n)),
    report(mitigation, 'filter', 'active', counters(2n, 6n)),
    report(mitigation, 'alert', 'pending'),
  ];
  expect(visibleStatus(mitigation, reports, world.now)).toEqual({
    status: 'mitigated',
    bytesDropped: 1n,
    pktsDropped: 11n,
  });
});

test('averages are summed, and absent where nobody counts', () => {
  const { world, mitigation } = active();
  const rates = { bytesPerSecondDropped: 2000n, packetsPerSecondDropped: 20n };
  const reports = [
    report(mitigation, 'edge', 'active', rates),
    report(mitigation, 'filter', 'active', rates),
    report(mitigation, 'alert', 'active'),
  ];
  expect(visibleStatus(mitigation, reports, world.now)).toEqual({
    status: 'mitigated',
    bpsDropped: 4000n,
    ppsDropped: 40n,
  });
});
