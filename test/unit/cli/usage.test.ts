import { commands } from '#agent-edge/cli/commands.ts';
import { parseServer } from '#agent-edge/cli/connection-options.ts';

interface Usage {
  readonly exitCode: number;
  readonly output: string;
}

/** What commander makes of the words, up to where the command itself would start. */
async function parse(name: string, ...words: readonly string[]): Promise<Usage> {
  let output = '';
  const command = await commands.find((candidate) => candidate.name === name)?.load();
  if (command === undefined) throw new Error(`no command ${name}`);
  const write = (text: string): void => {
    output += text;
  };
  command.exitOverride().configureOutput({ writeOut: write, writeErr: write });
  try {
    await command.parseAsync(words, { from: 'user' });
  } catch (error) {
    return { exitCode: (error as { exitCode: number }).exitCode, output };
  }
  throw new Error(`accepted: ${words.join(' ')}`);
}

test.each<[readonly string[], string]>([
  [['mitigate'], 'one of --target-prefix'],
  [['mitigate', '--target-prefix', '192.0.2.0/33'], 'It wants an address or a prefix'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--lifetime', '0'], 'seconds from 1 on'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--lifetime', '-2'], 'seconds from 1 on'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--mid', '4294967296'], 'number from 0'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--target-port', '9-8'], 'ascending range'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--target-port', '65536'], 'ascending range'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--target-protocol', '256'], '0 to 255'],
  [['mitigate', '--target-prefix', '192.0.2.1', '--efficacy', 'mitigated'], 'needs --mid'],
  [['mitigate', '--target-fqdn', ''], 'It is empty'],
  [['withdraw'], 'name the mitigations'],
  [['withdraw', '1', '--all'], 'name the mitigations'],
  [['withdraw', 'x'], 'number from 0'],
  [['status', '--tcp', '--udp'], 'cannot be used with'],
  [['status', '--server', 'a:b:c'], 'HOST:PORT'],
  [['status', '--timeout', '0'], 'It wants seconds'],
  [['config', '--sid', '-1'], 'number from 0'],
  [['config', '--nonsense'], 'unknown option'],
])('%j is a mistake of usage: %s', async ([name = '', ...words], message) => {
  const { exitCode, output } = await parse(name, ...words);
  expect(output).toContain(message);
  expect(exitCode).toBe(1);
});

test.each(['mitigate', 'withdraw', 'status', 'config'])('%s --help has examples', async (name) => {
  const { exitCode, output } = await parse(name, '--help');
  expect(exitCode).toBe(0);
  expect(output).toMatch(/Examples:\n {2}\$ tocsin /);
  expect(output).toContain('--json');
});

test.each([
  ['dots.example', 'dots.example', 4646],
  ['dots.example:14646', 'dots.example', 14646],
  ['192.0.2.1:1', '192.0.2.1', 1],
  ['[2001:db8::1]:5', '2001:db8::1', 5],
  ['[2001:db8::1]', '2001:db8::1', 4646],
  ['2001:db8::1', '2001:db8::1', 4646],
])('server %s: port 4646 unless it says otherwise', (text, host, port) => {
  expect(parseServer(text)).toEqual({ host, port });
});

test.each(['', ':1', 'a:0', 'a:65536', 'a:b', '[::1'])('%p is no server', (text) => {
  expect(() => parseServer(text)).toThrow('HOST:PORT');
});
