/** RFC 9132 §7.1: "DTLS session resumption without server-side state" (RFC 5077). */
import { randomBytes } from 'node:crypto';
import { type ClientSession, type ConnectDtlsOptions, connectDtls } from '#adapters/dtls/client.ts';
import { issueClientCertificate } from '#adapters/pki/authority.ts';
import { echo, PSK, pskKey, startEcho, stopEchoes } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };

afterEach(stopEchoes);

async function open(
  options: Omit<ConnectDtlsOptions, 'host'>,
): Promise<{ session: ClientSession; ticket: Uint8Array }> {
  const session = await connectDtls({ host: '127.0.0.1', ...options });
  expect(await echo(session, 'hello')).toBe('hello');
  session.close();
  const ticket = session.ticket();
  if (ticket === undefined) throw new Error('The server gave no ticket');
  return { session, ticket };
}

test.each([
  ['a certificate', withCertificate],
  ['a PSK', { psk: PSK }],
])(
  'A-135 S-384 a session made with %s is resumed after a restart of the server with the same key',
  async (_what, credentials) => {
    const ticketKeys = [randomBytes(80)];
    const first = await startEcho({ ...server, ticketKeys });
    const full = await open({ port: first.port, ...credentials });
    expect(full.session.resumed).toBe(false);
    await first.listener.close();

    const second = await startEcho({ ...server, ticketKeys });
    const again = await open({ port: second.port, ...credentials, session: full.ticket });
    expect(again.session.resumed).toBe(true);
    expect(again.session.credential).toEqual(full.session.credential);
    expect(second.sessions[0]).toMatchObject({ resumed: true, credential: first.sessions[0]?.credential });
  },
);

test('S-384 after a rotation the previous key still opens its tickets and the client gets a new one; older keys do not', async () => {
  const [oldest, previous, current] = [randomBytes(80), randomBytes(80), randomBytes(80)];
  const { port, listener } = await startEcho({ ...server, ticketKeys: [oldest] });
  const full = await open({ port, ...withCertificate });
  listener.setTicketKeys([previous, oldest]);
  const renewed = await open({ port, ...withCertificate, session: full.ticket });
  expect(renewed.session.resumed).toBe(true);
  listener.setTicketKeys([current, previous]);
  expect((await open({ port, ...withCertificate, session: renewed.ticket })).session.resumed).toBe(true);
  const forgotten = await open({ port, ...withCertificate, session: full.ticket });
  expect(forgotten.session.resumed).toBe(false);
  expect(listener.stats()).toMatchObject({ established: 4, resumed: 2 });
});

test('A-135 a ticket of another service is no obstacle: a full handshake follows', async () => {
  const other = await startEcho(server);
  const { port } = await startEcho(server);
  const { ticket } = await open({ port: other.port, ...withCertificate });
  expect((await open({ port, ...withCertificate, session: ticket })).session.resumed).toBe(false);
  expect((await open({ port, ...withCertificate, session: randomBytes(100) })).session.resumed).toBe(false);
});

test('S-404 a certificate that has expired since its ticket leads to a full handshake, where it is refused', async () => {
  const notAfter = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
  const short = await issueClientCertificate(pki.authority, {
    name: 'short',
    validity: { notBefore: new Date(Date.now() - 60_000), notAfter },
  });
  const { port, sessions } = await startEcho(server);
  const credentials = { ca: pki.ca, cert: short.certificate, key: short.key };
  const { ticket } = await open({ port, ...credentials });
  await new Promise((resolve) => setTimeout(resolve, notAfter.getTime() + 1100 - Date.now()));
  await expect(
    connectDtls({ host: '127.0.0.1', port, ...credentials, session: ticket }),
  ).rejects.toMatchObject({ failure: 'refused' });
  expect(sessions).toHaveLength(1);
  // The holder has a new certificate by now: the old ticket does not stand in its way.
  const renewed = await open({ port, ...withCertificate, session: ticket });
  expect(renewed.session.resumed).toBe(false);
}, 10_000);

test('a PSK that was withdrawn is not resumed', async () => {
  let known = true;
  const { port, sessions } = await startEcho({
    ...server,
    pskKey: (name) => (known ? pskKey(name) : undefined),
  });
  const { ticket } = await open({ port, psk: PSK });
  known = false;
  const session = await connectDtls({ host: '127.0.0.1', port, psk: PSK, session: ticket }).catch(
    () => undefined,
  );
  if (session !== undefined)
    await new Promise<void>((resolve) => {
      session.onClose = () => {
        resolve();
      };
    });
  expect(sessions).toHaveLength(1);
});

test('S-377 a session of one server does not pass for another name', async () => {
  const { port } = await startEcho(server);
  const { ticket } = await open({ port, ...withCertificate });
  await expect(
    connectDtls({ host: '127.0.0.1', port, ...withCertificate, session: ticket, serverName: 'other.test' }),
  ).rejects.toMatchObject({ failure: 'untrusted' });
});
