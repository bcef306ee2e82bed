/** What the README tells people to type is typed here, in its order, against one provider. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readConfig } from '#local/config/read.ts';
import { requirePeer } from '#test/support/peer.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
} from '#test/support/provider-process.ts';

const README = readFileSync('README.md', 'utf8');
const PATIENCE_MS = 120_000;

/** Fenced blocks of one language. */
const blocks = (language: string): readonly string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text);

const commands = blocks('sh').flatMap((block) => block.trim().split('\n'));

/** Installing is how the tests came here, the tests are what runs this, and the provider is the one that runs. */
const NOT_TYPED = [/^npm ci && npm test\b/, /^npm start$/];
const typed = commands.filter((command) => !NOT_TYPED.some((one) => one.test(command)));

let home = '';
let provider: ProviderProcess | undefined;
beforeAll(async () => {
  requirePeer('coap-client-openssl');
  home = makeTemporaryHome();
  provider = await startProviderProcess(home);
}, PATIENCE_MS);
afterAll(async () => {
  await provider?.stop();
  removeHome(home);
});

test('the README has commands to type', () => {
  expect(commands).toContain('npm start');
  expect(typed.length).toBeGreaterThan(6);
});

test.each(typed)(
  '%s',
  async (command) => {
    const here = command
      .replace('npm ci && ', '')
      .replaceAll('.tocsin/', `${home}/`)
      .replaceAll('127.0.0.1:4646', provider?.ready.signal.udp ?? '')
      .replace('-o config.cbor', `-o ${home}/config.cbor`);
    const child = spawn('bash', ['-c', here], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TOCSIN_HOME: home },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    await once(child, 'close');
    expect({ code: child.exitCode, output: child.exitCode === 0 ? '' : output }).toEqual({
      code: 0,
      output: '',
    });
  },
  PATIENCE_MS,
);

test('what libcoap has fetched is a DOTS configuration', () => {
  // A CBOR map with the one key 30, ietf-dots-signal-channel:signal-config (RFC 9132 §6).
  expect(readFileSync(`${home}/config.cbor`).subarray(0, 3).toString('hex')).toBe('a1181e');
});

test.each(blocks('yaml'))('the example of config.yaml is accepted', (text) => {
  const read = readConfig(text);
  expect(read.ok ? [] : read.error).toEqual([]);
});
