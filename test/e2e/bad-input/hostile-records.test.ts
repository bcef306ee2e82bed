/** Peers without a session: whatever they send meets silence, and the sessions of others go on. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectDtlsOptions, connectDtls } from '#adapters/dtls/client.ts';
import { HandshakeError } from '#adapters/tls/handshake-error.ts';
import { makeRefusedClients, makeTestPki } from '#test/support/pki.ts';
import {
  makeTemporaryHome,
  type ProviderProcess,
  removeHome,
  startProviderProcess,
} from '#test/support/provider-process.ts';
import { bytes } from './hostile-message.ts';
import { HostilePeer } from './hostile-peer.ts';

let provider: ProviderProcess;
let peer: HostilePeer;

beforeAll(async () => {
  provider = await startProviderProcess(makeTemporaryHome());
  peer = await HostilePeer.of(provider);
}, 30_000);

afterAll(async () => {
  peer.close();
  await provider.stop();
  removeHome(provider.home);
});

const EPOCH_0 = '0000 000000000000';
const EPOCH_1 = '0001 000000000001';

test.each([
  ['an empty datagram', ''],
  ['one byte', '16'],
  ['CoAP in the clear', '40 01 0001 b4 64 6f 74 73'],
  ['a record shorter than its header', `16 fefd ${EPOCH_0} 00`],
  ['a record longer than the datagram', `16 fefd ${EPOCH_0} 4000 01`],
  ['a ClientHello cut short', `16 fefd ${EPOCH_0} 0010 01 000004 0000 000000 000004 fefd 0102`],
  ['a handshake message that is no hello', `16 fefd ${EPOCH_0} 000c 10 000000 0001 000000 000000`],
  ['an alert in the clear', `15 fefd ${EPOCH_0} 0002 0228`],
  ['application data without a session', `17 fefd ${EPOCH_1} 0020 ${'ab'.repeat(32)}`],
  ['a change of cipher out of nowhere', `14 fefd ${EPOCH_0} 0001 01`],
  ['a record of TLS', '16 0303 0004 01020304'],
  ['an unknown record type', `ff fefd ${EPOCH_0} 0002 0102`],
])('record: %s', async (_title, hex) => {
  expect(await repliesTo(bytes(hex))).toEqual([]);
  expect((await peer.probe()).code).toBe('4.04');
});

describe('handshakes', () => {
  const attempt = async (credentials: Pick<ConnectDtlsOptions, 'cert' | 'key' | 'psk'>): Promise<unknown> => {
    const ca = readFileSync(join(provider.home, 'pki', 'ca.pem'), 'utf8');
    const port = provider.signalPort;
    return connectDtls({ host: '127.0.0.1', port, ca, timeoutMs: 2000, ...credentials });
  };

  test('with certificates that another authority issued, and with none', async () => {
    const foreign = await makeTestPki();
    const refused = await makeRefusedClients(foreign.authority);
    for (const { certificate, key } of [foreign.client, refused.expired, refused.selfSigned])
      await expect(attempt({ cert: certificate, key })).rejects.toBeInstanceOf(HandshakeError);
    expect((await peer.probe()).code).toBe('4.04');
  }, 30_000);

  test.each([
    ['an unknown PSK identity', 'nobody', 'ab'.repeat(32)],
    ['a wrong key for a known PSK identity', 'demo-psk', 'ab'.repeat(32)],
    ['an identity of 200 bytes', 'x'.repeat(200), 'ab'.repeat(32)],
  ])('with %s', async (_title, identity, key) => {
    await expect(attempt({ psk: { identity, key: bytes(key) } })).rejects.toBeInstanceOf(HandshakeError);
    expect((await peer.probe()).code).toBe('4.04');
  });
});

/** What comes back within a moment, as hexadecimal. */
async function repliesTo(datagram: Uint8Array): Promise<string[]> {
  const socket = createSocket('udp4');
  const replies: string[] = [];
  socket.on('message', (reply) => replies.push(reply.toString('hex')));
  socket.send(datagram, provider.signalPort, '127.0.0.1');
  await pause(150);
  socket.close();
  return replies;
}
