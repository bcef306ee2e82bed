/** What a customer asks for that takes more than one plain request, or credentials from elsewhere (RFC 9132 §4.4.1, §7). */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requirePeer } from '#test/support/peer.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
  tocsin,
} from '#test/support/provider-process.ts';

const openssl = requirePeer('openssl');
const run = promisify(execFile);

let provider: ProviderProcess;
let home: string;

beforeAll(async () => {
  home = makeTemporaryHome('domains:\n  demo: { terminatingSeconds: 1 }\n');
  provider = await startProviderProcess(home);
}, 30_000);
afterEach(async () => {
  await json('withdraw', '--all');
});
afterAll(async () => {
  await provider.stop();
  removeHome(home);
});

type Json = Readonly<Record<string, unknown>>;

/** What a command printed with `--json`, which has to succeed. */
async function json(...args: readonly string[]): Promise<Json> {
  const { code, stdout, stderr } = await tocsin(home, ...args, '--json');
  if (code !== 0) throw new Error(`tocsin ${args.join(' ')}: ${code} ${stderr}`);
  return JSON.parse(stdout) as Json;
}

const entries = async (): Promise<readonly Json[]> => (await json('status'))['scope'] as readonly Json[];
/** Without what is withdrawn and terminating. */
const inProgress = async (): Promise<readonly Json[]> =>
  (await entries()).filter(({ status }) => status === 'attack-mitigation-in-progress');

test('S-402 200 prefixes over UDP are several requests, each under a mid of its own', async () => {
  const prefixes = Array.from({ length: 200 }, (_, number) => `198.51.100.${number}/32`);
  const targets = prefixes.flatMap((prefix) => ['--target-prefix', prefix]);
  const told = (await json('mitigate', '--udp', ...targets)) as unknown as readonly Json[];
  expect(told.length).toBeGreaterThan(1);
  expect(new Set(told.map(({ mid }) => mid)).size).toBe(told.length);
  expect(new Set(told.map(({ code }) => code))).toEqual(new Set(['2.01']));
  const mids = told.map(({ mid }) => mid);
  const lists = (await entries())
    .filter(({ mid }) => mids.includes(mid))
    .map((entry) => entry['target-prefix']);
  expect(lists.flat()).toEqual(prefixes);
}, 60_000);

test('a part that is refused leaves the others in force, and tells which they are', async () => {
  const prefixes = Array.from({ length: 100 }, (_, number) => `198.51.100.${number}/32`);
  const targets = [...prefixes, '203.0.113.1'].flatMap((prefix) => ['--target-prefix', prefix]);
  const half = await tocsin(home, 'mitigate', '--udp', '--json', ...targets);
  expect(half.code).toBe(1);
  const { error } = JSON.parse(half.stdout) as { error: { code: string; accepted: readonly number[] } };
  expect(error.code).toBe('4.00');
  expect(half.stderr).toContain(`Accepted, and not withdrawn: ${error.accepted.join(', ')}`);
  expect((await inProgress()).map(({ mid }) => mid)).toEqual(error.accepted);
}, 60_000);

test('over TCP, where a message may be of any size, it is one', async () => {
  const prefixes = Array.from({ length: 200 }, (_, number) => `198.51.100.${number}/32`);
  const told = await json('mitigate', '--tcp', ...prefixes.flatMap((prefix) => ['--target-prefix', prefix]));
  expect(told).toMatchObject({ code: '2.01', transport: 'tcp' });
}, 60_000);

test('S-153 another scope is another request with a higher mid, which takes the place of the old one', async () => {
  const narrow = await json('mitigate', '--target-prefix', '192.0.2.64/26');
  const wide = await json('mitigate', '--target-prefix', '192.0.2.0/24');
  expect(Number(wide['mid'])).toBeGreaterThan(Number(narrow['mid']));
  expect((await inProgress()).map((entry) => [entry['mid'], entry['target-prefix']])).toEqual([
    [wide['mid'], ['192.0.2.0/24']],
  ]);
}, 60_000);

test('S-382 a client runs with a certificate that an enrolment elsewhere gave it for its key', async () => {
  const [request, certificate] = [join(home, 'enrolment.csr'), join(home, 'enrolled.pem')];
  const [key, ca] = [join(home, 'pki/clients/demo.key'), join(home, 'pki/ca.pem')];
  await run(openssl, ['req', '-new', '-key', key, '-subj', '/O=Enrolled/CN=elsewhere', '-out', request]);
  writeFileSync(join(home, 'enrolment.ext'), 'extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n');
  await run(openssl, [
    ...['x509', '-req', '-in', request, '-CA', ca, '-CAkey', join(home, 'pki/ca.key'), '-CAcreateserial'],
    ...['-days', '7', '-extfile', join(home, 'enrolment.ext'), '-out', certificate],
  ]);
  const credentials = ['--cert', certificate, '--key', key];
  const asked = await json('mitigate', '--target-prefix', '192.0.2.9', ...credentials);
  expect(asked).toMatchObject({ code: '2.01' });
  // The identity, and so the cuid, is of the key.
  expect((await entries()).map(({ mid }) => mid)).toContain(asked['mid']);
}, 60_000);

test('S-054 the cuid does not change while something is active under the old one', async () => {
  const asked = await json('mitigate', '--target-prefix', '192.0.2.31');
  const other = ['mitigate', '--target-prefix', '192.0.2.32', '--cuid', 'another-cuid-of-demo'];
  const refused = await tocsin(home, ...other);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`tocsin withdraw --all --cuid ${String(asked['cuid'])}`);
  expect((await tocsin(home, 'status', '--cuid', 'another-cuid-of-demo')).stdout).toBe('no mitigations\n');
  await json('withdraw', '--all');
  expect(await json(...other)).toMatchObject({ code: '2.01', cuid: 'another-cuid-of-demo' });
  await json('withdraw', '--all', '--cuid', 'another-cuid-of-demo');
}, 60_000);

test('S-438 a random cuid is made once, and kept by every later command', async () => {
  const psk = ['--psk-key-file', join(home, 'pki/clients/demo-psk.psk')];
  const derived = await json('mitigate', '--target-prefix', '192.0.2.51', ...psk);
  const asRandom = ['mitigate', '--target-prefix', '192.0.2.52', '--random-cuid', ...psk];
  expect((await tocsin(home, ...asRandom)).stderr).toContain('mitigations are active');
  await json('withdraw', '--all', ...psk);
  const random = await json(...asRandom);
  expect(random['cuid']).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(random['cuid']).not.toBe(derived['cuid']);
  const { scope } = (await json('status', ...psk)) as unknown as { readonly scope: readonly Json[] };
  expect(scope.map(({ mid }) => mid)).toContain(random['mid']);
  expect(await json(...asRandom)).toMatchObject({ code: '2.01', cuid: random['cuid'] });
  await json('withdraw', '--all', ...psk);
}, 60_000);
