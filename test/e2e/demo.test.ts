/** `npm run demo` on a machine without network namespaces; with them it is run by readme.test.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const PATIENCE_MS = 120_000;

test(
  'without namespaces the demo goes over loopback and a webhook, and every step is observed',
  async () => {
    const child = spawn(process.execPath, ['local/demo/main.ts', '--stage', 'webhook'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(child, 'close');
    expect(output).toContain('without network namespaces: real datagrams');
    expect(output).toMatch(/now \d+ packets\/s \(0 of the attack/);
    expect(output).toMatch(/notified: [1-9]\d* packets dropped so far/);
    expect(output).toContain('every step was observed\n');
    expect(child.exitCode).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'a demo that is interrupted takes everything down and does not end with 0',
  async () => {
    const child = spawn(process.execPath, ['local/demo/main.ts', '--stage', 'webhook'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('listens on')) child.kill('SIGINT');
    });
    await once(child, 'close');
    expect(output).toContain('stopped; everything is taken down\n');
    expect(child.exitCode).toBe(1);
  },
  PATIENCE_MS,
);

test.each([
  [['--help'], 0],
  [['--stage', 'moon'], 2],
  [['--speed', '2'], 2],
])('%j tells how it is called, and plays nothing', async (args, exitCode) => {
  const child = spawn(process.execPath, ['local/demo/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  await once(child, 'close');
  expect(output).toContain('Usage: npm run demo [-- --stage webhook]');
  expect(output).not.toContain('    at ');
  expect(child.exitCode).toBe(exitCode);
});
