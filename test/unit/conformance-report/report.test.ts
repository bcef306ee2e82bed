import { coverageOf } from '#test/conformance/coverage.ts';
import { REQUIREMENT_FILES, readRefusals, readRequirements } from '#test/conformance/requirements.ts';
import { titlesOf } from '#test/conformance/test-titles.ts';

const LISTS = 'docs/rfc';
const titles = (source: string): string[] => titlesOf('x.test.ts', source).map(({ title }) => title);
const row = (id: string) => ({ id, rfc: '9132', section: '3', level: 'MUST', role: 'server', text: 'text' });

describe('titles of tests', () => {
  test('are found in every form jest knows', () => {
    const source = `
      describe('S-001 outer', () => { test(\`S-002 \${name} S-003\`, () => {}); });
      it.each([1, 2])('S-004 %d', () => {});
      test.only.each\`a\`('S-005', () => {});`;
    expect(titles(source)).toEqual(['S-001 outer', 'S-002   S-003', 'S-004 %d', 'S-005']);
  });

  test('are not found in comments, skipped tests or empty groups', () => {
    const source = `
      // test('S-001', () => {});
      test.skip('S-002', () => {});
      describe.skip('S-003', () => { test('S-004', () => {}); });
      xtest('S-005', () => {});
      test.todo('S-006');
      describe('S-007 with nothing inside', () => {});
      const text = "test('S-008', () => {})";
      log('S-009', () => {});`;
    expect(titles(source)).toEqual([]);
  });

  test('carry the line they stand on', () => {
    expect(titlesOf('x.test.ts', "\n\ntest('S-001', () => {});")).toEqual([
      { title: 'S-001', path: 'x.test.ts', line: 3 },
    ]);
  });
});

describe('coverage', () => {
  const requirements = { signal: [row('S-001'), row('S-002'), row('S-003')], coap: [row('P-001')] };
  const title = (text: string) => ({ title: text, path: 'a.test.ts', line: 7 });

  test('counts each id once: tested, refused with a reason, or open', () => {
    const { files, errors } = coverageOf(
      requirements,
      [{ id: 'S-002', reason: 'because' }],
      [title('S-001 one'), title('S-001 again')],
    );
    expect(errors).toEqual([]);
    expect(files).toEqual({
      signal: { total: 3, proven: ['S-001'], refused: ['S-002'], open: ['S-003'] },
      coap: { total: 1, proven: [], refused: [], open: ['P-001'] },
    });
  });

  test('calls an unknown id in a title an error, with its place', () => {
    const { errors } = coverageOf(requirements, [], [title('S-001 S-999 typo')]);
    expect(errors).toEqual(['a.test.ts:7: no requirement is called S-999']);
  });

  test('does not let a requirement be refused and tested at once', () => {
    const { errors } = coverageOf(requirements, [{ id: 'S-001', reason: 'because' }], [title('S-001 one')]);
    expect(errors).toEqual(['refused.tsv: S-001 is refused, yet a test names it']);
  });
});

test('the lists under docs/rfc can be read and no id stands twice', () => {
  const ids = REQUIREMENT_FILES.flatMap((file) => readRequirements(LISTS, file).map(({ id }) => id));
  expect(ids.length).toBeGreaterThan(1900);
  expect(new Set(ids).size).toBe(ids.length);
  expect(readRequirements(LISTS, 'signal-channel')).toHaveLength(440);
  const refused = readRefusals(LISTS).map(({ id }) => id);
  expect(refused.filter((id) => !ids.includes(id))).toEqual([]);
});
