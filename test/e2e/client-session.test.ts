/** The client over real DTLS and TLS: one session for everything, and what only the wire can show. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#adapters/clock/system-clock.ts';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import { systemRandom } from '#adapters/random/system-random.ts';
import { connectSecurely } from '#agent-edge/client/connect.ts';
import { readCredentials } from '#agent-edge/client/credentials.ts';
import { connect, type DotsClientOptions } from '#agent-edge/client/dots-client.ts';
import { SignalSession } from '#agent-edge/client/signal-session.ts';
import { putMitigation } from '#core/client/requests.ts';
import { formatCode } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { MitigationRequestBody } from '#core/signal/bodies.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
} from '#test/support/provider-process.ts';

let home: string;
let provider: ProviderProcess;
beforeEach(async () => {
  home = makeTemporaryHome();
  provider = await startProviderProcess(home);
}, 30_000);
afterEach(async () => {
  await provider.stop('SIGKILL');
  removeHome(home);
});

const bodyFor = (address: string): MitigationRequestBody => ({
  scope: { ...EMPTY_SCOPE, targetPrefixes: [`${address}/32`] },
  lifetimeSeconds: 3600,
  triggerMitigation: true,
});

function options(transport: 'auto' | 'udp' | 'tcp'): DotsClientOptions {
  const pki = join(home, 'pki');
  const [host = '', port = ''] = provider.ready.signal.udp.split(':');
  const credentials = readCredentials({
    ca: join(pki, 'ca.pem'),
    cert: join(pki, 'clients', 'demo.pem'),
    key: join(pki, 'clients', 'demo.key'),
  });
  return {
    host,
    udpPort: Number(port),
    tcpPort: Number(port),
    transport,
    credentials,
    cuid: credentials.derivedCuid,
    timeoutMs: 10_000,
    answerWithinMs: 10_000,
  };
}

test.each(['udp', 'tcp'] as const)(
  'S-035 ten requests go over one session: %s',
  async (transport) => {
    const client = await connect(options(transport));
    const codes: string[] = [];
    for (let mid = 1; mid <= 10; mid++) {
      const answer = await client.requestMitigation(mid as Mid, bodyFor(`192.0.2.${mid}`));
      codes.push(answer.type === 'done' ? answer.code : answer.type);
    }
    const list = await client.status();
    client.close();
    expect(codes).toEqual(Array.from({ length: 10 }, () => '2.01'));
    expect(list.type === 'done' && list.value).toHaveLength(10);
    const { stdout, stderr } = await provider.stop();
    expect(`${stdout}${stderr}`.match(/"session-opened"/g)).toHaveLength(1);
  },
  60_000,
);

test('S-009 a request without Content-Format is taken as one with it', async () => {
  const settings = options('udp');
  const session = await connectSecurely(settings);
  const signal = new SignalSession({
    session,
    driver: createDriver({ clock: systemClock }),
    clock: systemClock,
    random: systemRandom,
  });
  const codes: string[] = [];
  for (const [mid, keeps] of [
    [1, true],
    [2, false],
  ] as const) {
    const request = putMitigation(settings.cuid, mid as Mid, bodyFor(`192.0.2.${mid}`));
    const kept = request.options.filter(({ number }) => keeps || number !== OPTION.contentFormat);
    const answer = await signal.request({ ...request, options: kept }, 10_000);
    codes.push(answer.ok ? formatCode(answer.value.code) : answer.error);
  }
  signal.close();
  expect(codes).toEqual(['2.01', '2.01']);
}, 60_000);

describe('UDP is preferred, and TCP used within seconds', () => {
  test('A-195 where both are open', async () => {
    const client = await connect(options('auto'));
    expect(client.transport).toBe('udp');
    client.close();
  });

  test('where a port refuses UDP', async () => {
    const client = await connect({ ...options('auto'), udpPort: 9 });
    expect(client.transport).toBe('tcp');
    client.close();
  });

  test('where UDP disappears', async () => {
    const hole = createSocket('udp4');
    hole.bind(0, '127.0.0.1');
    await once(hole, 'listening');
    const startedAt = performance.now();
    const client = await connect({ ...options('auto'), udpPort: hole.address().port });
    expect(client.transport).toBe('tcp');
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    client.close();
    hole.close();
  }, 20_000);
});

test('S-051 the cuid is the start of the hash of the public key', async () => {
  const { createHash, X509Certificate } = await import('node:crypto');
  const pem = readFileSync(join(home, 'pki', 'clients', 'demo.pem'), 'utf8');
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(spki).digest();
  const { cuid } = options('udp');
  expect(cuid).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(Buffer.from(cuid, 'base64url')).toEqual(hash.subarray(0, 16));
});
