/** The command line itself: usage, JSON on failure, pipes that close, what a call has to read. No provider runs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '#agent-edge/cli/commands.ts';
import { operatorCommands } from '#local/cli/commands.ts';
import { makeTemporaryHome, removeHome, tocsin } from '#test/support/provider-process.ts';

const PATIENCE_MS = 30_000;

let home: string;
beforeEach(() => {
  home = makeTemporaryHome();
});
afterEach(() => removeHome(home));

const errorOf = (stdout: string): unknown => (JSON.parse(stdout) as { error: { message: string } }).error;

test.each<[readonly string[], string]>([
  [['nonsense'], "unknown command 'nonsense'"],
  [['status', '--nonsense'], "unknown option '--nonsense'"],
  [['mitigate'], 'one of --target-prefix, --target-fqdn, --target-uri and --alias is needed'],
  [['domain', 'add', 'acme'], "required option '--prefix <prefix>' not specified"],
  [['serve', '--signal-port', '65536'], 'It wants a whole number from 0 to 65535.'],
  [['serve', '--host', 'localhost'], 'It wants an IP address of this machine'],
])(
  'a mistake of usage is 2, also with --json one document on stdout: %j',
  async (words, message) => {
    const { code, stdout, stderr } = await tocsin(home, ...words, '--json');
    expect(code).toBe(2);
    expect(errorOf(stdout)).toEqual({ message: expect.stringContaining(message) as string });
    expect(stderr).toContain(`error: ${(errorOf(stdout) as { message: string }).message}`);
  },
  PATIENCE_MS,
);

test(
  'what the system refuses is told with the fix, and is no crash',
  async () => {
    writeFileSync(join(home, 'file'), '');
    const { code, stdout, stderr } = await tocsin(join(home, 'file'), 'domain', 'list', '--json');
    expect(code).toBe(1);
    expect(errorOf(stdout)).toEqual({
      message: expect.stringMatching(/name another folder with TOCSIN_HOME/) as string,
    });
    expect(stderr).not.toContain('    at ');
  },
  PATIENCE_MS,
);

test(
  'an agent’s memory that cannot be opened is told with the fix',
  async () => {
    mkdirSync(join(home, 'agent', 'state.db'), { recursive: true });
    const { code, stdout, stderr } = await tocsin(
      home,
      ...['status', '--server', '127.0.0.1:1', '--psk-key-file', pskFile(), '--json'],
    );
    expect(code).toBe(1);
    expect(errorOf(stdout)).toEqual({ message: expect.stringContaining('cannot be opened') as string });
    expect(stderr).not.toContain('    at ');
  },
  PATIENCE_MS,
);

test.each([['--help'], ['domain', 'list']])(
  'a reader that has seen enough is no failure: %s %s',
  async (...words) => {
    const child = spawn(process.execPath, ['local/bin/tocsin.js', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TOCSIN_HOME: home },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number];
    expect([code, stderr]).toEqual([0, '']);
  },
  PATIENCE_MS,
);

test(
  'help lists every command, and reads the code of none',
  async () => {
    const { code, stdout } = await tocsin(home, '--help');
    expect(code).toBe(0);
    for (const { name } of [...operatorCommands, ...commands])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} {2,}\\S`, 'm'));
    expect(readdirSync(home)).toEqual([]);
  },
  PATIENCE_MS,
);

test('A-156 the agent’s commands read nothing of the drivers, the schema or the authority', () => {
  const loaded = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { registerHooks } from 'node:module';
      registerHooks({ load: (url, context, next) => { console.log(url); return next(url, context); } });
      const { runCommandLine } = await import('./local/cli/program.ts');
      await runCommandLine(['mitigate', '--target-prefix', '192.0.2.1']);`,
    ],
    { encoding: 'utf8', env: { ...process.env, TOCSIN_HOME: home }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  expect(loaded).toContain('/agent-edge/cli/mitigate.ts');
  expect(loaded).not.toMatch(/node_modules\/(zod|@grpc|@peculiar|yaml)|\/adapters\/mitigators\//);
});

function pskFile(): string {
  const path = join(home, 'key.psk');
  writeFileSync(path, `edge\n${'0f'.repeat(32)}\n`);
  return path;
}
