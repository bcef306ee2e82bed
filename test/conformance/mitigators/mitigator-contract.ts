/** What every driver keeps to, whatever device it drives (core/ports/mitigator.ts). */
import type { Profile } from '#core/model/domain.ts';
import type { Plan } from '#core/plan/plan.ts';
import type { Installed, Mitigator } from '#core/ports/mitigator.ts';
import { makePlanFor } from '#test/support/mitigator-world.ts';

export interface MitigatorUnderTest {
  readonly mitigator: Mitigator;
  /** A profile that the driver is configured for. */
  readonly profile: Profile;
  /** Makes the device confirm what it was asked for, where it takes more than asking. */
  readonly confirm: (plan: Plan) => Promise<void>;
  /** False for a device that cannot be asked what it holds. */
  readonly canList: boolean;
}

/** `open` is called once, in beforeAll of the suite that calls this. */
export function describeMitigator(open: () => MitigatorUnderTest): void {
  const keys = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { key } of open().mitigator.list()) found.push(key);
    return [...new Set(found)].sort();
  };
  const plan = (changes: Parameters<typeof makePlanFor>[0] = {}): Plan =>
    makePlanFor({ profile: open().profile, ...changes });

  afterEach(async () => {
    for (const number of [1, 2]) await open().mitigator.remove(plan({ number }));
  });

  test('A-038 what is not installed cannot be collected, and is removed without complaint', async () => {
    const { mitigator } = open();
    expect(await mitigator.collect(plan())).toBeUndefined();
    await mitigator.remove(plan());
    await mitigator.remove(plan());
    expect(await keys()).toEqual([]);
  });

  test('A-038 what is ensured is active once confirmed, with its actual targets, and gone once removed', async () => {
    const { mitigator, confirm, canList } = open();
    const result = await mitigator.ensure(plan());
    expect(['active', 'pending']).toContain(result.state);
    expect(result.actualTargets.map(({ prefix }) => prefix)).toEqual(['192.0.2.1/32']);
    await confirm(plan());
    expect((await mitigator.collect(plan()))?.state).toBe('active');
    expect(await keys()).toEqual(canList ? [mitigator.keyOf(plan())] : []);
    await mitigator.remove(plan());
    expect(await mitigator.collect(plan())).toBeUndefined();
    expect(await keys()).toEqual([]);
  });

  test('ensured twice is there once', async () => {
    const { mitigator, confirm, canList } = open();
    await mitigator.ensure(plan());
    await mitigator.ensure(plan());
    await confirm(plan());
    expect((await mitigator.collect(plan()))?.state).toBe('active');
    expect(await keys()).toHaveLength(canList ? 1 : 0);
  });

  test('two mitigations of one prefix do not depend on each other', async () => {
    const { mitigator, confirm } = open();
    await mitigator.ensure(plan({ number: 1 }));
    await mitigator.ensure(plan({ number: 2 }));
    await confirm(plan({ number: 1 }));
    await confirm(plan({ number: 2 }));
    expect((await mitigator.collect(plan({ number: 1 })))?.state).toBe('active');
    expect((await mitigator.collect(plan({ number: 2 })))?.state).toBe('active');
    await mitigator.remove(plan({ number: 2 }));
    expect((await mitigator.collect(plan({ number: 1 })))?.state).toBe('active');
    expect(await mitigator.collect(plan({ number: 2 }))).toBeUndefined();
  });

  test('a newer generation replaces the targets of the older one', async () => {
    const { mitigator, confirm, canList } = open();
    await mitigator.ensure(plan());
    const newer = plan({
      generation: 2,
      targets: [
        { prefix: '192.0.2.2/32', protocols: [], portRanges: [] },
        { prefix: '2001:db8::2/128', protocols: [], portRanges: [] },
      ],
    });
    expect(await mitigator.collect(newer)).toBeUndefined();
    const result = await mitigator.ensure(newer);
    expect(result.actualTargets.map(({ prefix }) => prefix)).toEqual(['192.0.2.2/32', '2001:db8::2/128']);
    await confirm(newer);
    expect((await mitigator.collect(newer))?.state).toBe('active');
    const prefixes = new Set<string | undefined>();
    for await (const { prefix } of mitigator.list()) prefixes.add(prefix);
    expect(prefixes.has('192.0.2.1/32')).toBe(false);
    expect(prefixes.size > 0).toBe(canList);
  });

  test('what is listed can be removed by itself', async () => {
    const { mitigator } = open();
    await mitigator.ensure(plan());
    const found: Installed[] = [];
    for await (const one of mitigator.list()) found.push(one);
    for (const one of found) await mitigator.removeInstalled(one);
    expect(await keys()).toEqual([]);
  });

  test('its health tells an operator something', async () => {
    expect((await open().mitigator.health()).detail).not.toBe('');
  });
}
