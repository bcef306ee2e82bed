import { systemClock } from '#adapters/clock/system-clock.ts';
import { openSqlite, type SqliteParts } from '#adapters/sqlite/store.ts';
import { DEFAULT_POLICY, type Domain } from '#core/model/domain.ts';
import type { DomainId } from '#core/model/identifiers.ts';
import { applyConfig } from '#local/config/apply.ts';
import { formatProblem, readConfig } from '#local/config/read.ts';

const DEMO: Domain = {
  id: 'demo' as DomainId,
  name: 'Demo',
  prefixes: ['192.0.2.0/24'],
  names: ['demo.example'],
  policy: DEFAULT_POLICY,
};
const OTHER: Domain = { ...DEMO, id: 'other' as DomainId, prefixes: ['203.0.113.0/24'], names: [] };

let parts: SqliteParts;
beforeEach(async () => {
  parts = await openSqlite({ path: ':memory:', clock: systemClock });
  await parts.store.putDomain(DEMO);
  await parts.store.putDomain(OTHER);
});
afterEach(() => parts.close());

/** What is wrong, or nothing. */
async function apply(text: string): Promise<readonly string[]> {
  const read = readConfig(text);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const applied = await applyConfig(parts.store, read.value);
  return applied.ok ? [] : applied.error.map((problem) => formatProblem('config.yaml', problem));
}
const stored = (id: string): Promise<Domain | undefined> => parts.store.domain(id as DomainId);

test('a listed domain gets its mitigators and policy, and keeps what it owns', async () => {
  const text = `
mitigators: { filter: { driver: nftables } }
domains:
  demo: { mitigators: [ { name: filter, profile: limit } ], terminatingSeconds: 5, limits: { maxMitigations: 7 } }
`;
  expect(await apply(text)).toEqual([]);
  expect(await stored('demo')).toEqual({
    ...DEMO,
    policy: {
      ...DEFAULT_POLICY,
      mitigators: [{ name: 'filter', profile: 'limit' }],
      terminatingSeconds: 5,
      maxMitigations: 7,
    },
  });
  expect(await stored('other')).toEqual(OTHER);
});

test('the top level holds for every domain, a domain overrides it', async () => {
  expect(await apply('terminatingSeconds: 10\ndomains: { demo: { terminatingSeconds: 5 } }\n')).toEqual([]);
  expect((await stored('demo'))?.policy.terminatingSeconds).toBe(5);
  expect((await stored('other'))?.policy.terminatingSeconds).toBe(10);
});

test('a key taken out of the file is back at its default at the next start', async () => {
  await apply('domains: { demo: { terminatingSeconds: 5 } }\n');
  await apply('domains: { demo: {} }\n');
  expect((await stored('demo'))?.policy).toEqual(DEFAULT_POLICY);
});

test('a domain that does not exist is made from its prefixes, in canonical form', async () => {
  expect(await apply('domains: { acme: { prefixes: [ 10.1.2.3/16 ], names: [ acme.example ] } }\n')).toEqual(
    [],
  );
  expect(await stored('acme')).toMatchObject({
    name: 'acme',
    prefixes: ['10.1.0.0/16'],
    names: ['acme.example'],
  });
});

describe('is refused with its place, and nothing is written', () => {
  test.each([
    ['a new domain without prefixes', 'acme: {}', 'config.yaml:4:9: there is no domain acme yet'],
    [
      'a mitigator nobody has configured',
      'demo: { mitigators: [ { name: fitler, profile: limit } ] }',
      'config.yaml:4:33: no mitigator is called fitler; write one of alert, filter',
    ],
    [
      'a prefix of another domain',
      'demo: { prefixes: [ 203.0.113.128/25 ] }',
      'config.yaml:4:21: 203.0.113.128/25 overlaps what domain other owns',
    ],
    [
      'a ceiling below the period it is a ceiling of',
      'demo: { terminatingSeconds: 400 }',
      'config.yaml:4:9: maxTerminatingSeconds 300 of demo is below terminatingSeconds; write at least 400',
    ],
  ])('%s', async (_what, line, expected) => {
    const problems = await apply(
      `mitigators: { filter: { driver: nftables } }\nterminatingSeconds: 9\ndomains:\n  ${line}\n`,
    );
    expect(problems).toEqual([expect.stringContaining(expected)]);
    expect([await stored('demo'), await stored('other'), await stored('acme')]).toEqual([
      DEMO,
      OTHER,
      undefined,
    ]);
  });
});
