import { readFileSync } from 'node:fs';
import { formatProblem, readConfig } from '#local/config/read.ts';
import { configJsonSchema } from '#local/config/schema.ts';

const problems = (text: string): string[] => {
  const read = readConfig(text);
  return read.ok ? [] : read.error.map((problem) => formatProblem('config.yaml', problem));
};

test('an empty file is an empty configuration', () => {
  const read = readConfig('# nothing\n');
  expect(read.ok && read.value.config).toEqual({});
});

test('the example of the documentation is accepted', () => {
  const read = readConfig(`
mitigators:
  filter: { driver: nftables }
domains:
  demo:
    mitigators: [ { name: filter, profile: limit } ]
    terminatingSeconds: 5
    limits: { maxMitigations: 10, maxLifetimeSeconds: -1 }
    neverTouch: [ 192.0.2.53/32, '2001:db8::53' ]
`);
  expect(read.ok ? read.value.config.domains?.['demo']?.terminatingSeconds : read.error).toBe(5);
});

describe('a mistake is told with its line, its column and the fix', () => {
  test.each([
    [
      'a wrong type',
      'domains:\n  demo:\n    terminatingSeconds: five\n',
      'config.yaml:3:25: domains.demo.terminatingSeconds: wants a number, found the text "five"; write for example terminatingSeconds: 120',
    ],
    [
      'an unknown key close to one that exists',
      'terminatingSecond: 5\n',
      'config.yaml:1:1: terminatingSecond is not a key that exists here: write terminatingSeconds',
    ],
    [
      'an unknown key like no other',
      'limits: { bananas: 1 }\n',
      'config.yaml:1:11: limits.bananas is not a key that exists here: remove it; there are maxMitigations, maxLifetimeSeconds',
    ],
    [
      'an unknown profile',
      'domains:\n  demo:\n    mitigators:\n      - { name: a, profile: nuke }\n',
      'config.yaml:4:29: domains.demo.mitigators.0.profile: invalid option: expected one of "divert"|"limit"|"reflectors"|"acl-only"|"blackhole"; write for example profile: limit',
    ],
    [
      'a missing key',
      'domains:\n  demo:\n    mitigators:\n      - { name: a }\n',
      'config.yaml:4:9: domains.demo.mitigators.0.profile: invalid option: expected one of "divert"|"limit"|"reflectors"|"acl-only"|"blackhole"; write for example profile: limit',
    ],
    [
      'a prefix that is none',
      'neverTouch: [ 192.0.2.0/33 ]\n',
      'config.yaml:1:15: neverTouch.0: is no IP prefix; write for example 192.0.2.0/24',
    ],
    [
      'a name that cannot be one',
      'domains: { Demo: {} }\n',
      'config.yaml:1:12: domains.Demo: the name wants lower-case letters, digits and dashes, at most 63',
    ],
    [
      'a driver that does not exist',
      'mitigators: { edge: { driver: juniper } }\n',
      'config.yaml:1:31: mitigators.edge.driver: wants one of gobgp, nftables, webhook, alert, found the text "juniper"',
    ],
    [
      'a domain name that is none',
      'domains: { demo: { names: [ "*.demo.example" ] } }\n',
      'config.yaml:1:29: domains.demo.names.0: is no domain name: labels of letters, digits and dashes, others as xn--…, and no wildcard; write for example demo.example',
    ],
    ['a list at the top', '- 1\n', 'config.yaml:1:1: the file: wants a mapping, found a list'],
    ['a key twice', 'domains: {}\ndomains: {}\n', 'config.yaml:2:1: is not YAML: Map keys must be unique'],
  ])('%s', (_what, text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  test('every mistake of the file is told at once', () => {
    expect(problems('terminatingSeconds: 0\nconflictPolicy: maybe\n')).toHaveLength(2);
  });
});

test('docs/config.schema.json is current (node local/config/print-schema.ts > docs/config.schema.json)', () => {
  expect(JSON.parse(readFileSync('docs/config.schema.json', 'utf8'))).toEqual(configJsonSchema());
});
