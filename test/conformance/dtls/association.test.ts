/** What can and cannot be done to a live association (RFC 6347 §4.1.2, §4.2.8; RFC 9132 §7.1). */
import { connectDtls } from '#adapters/dtls/client.ts';
import { BareClient, echo, PSK, pskKey, settle, startEcho, stopEchoes, until } from '#test/support/dtls.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

/** Header of a record in epoch `epoch` with a high sequence number, in front of `body`. */
function record(type: number, epoch: number, body: readonly number[]): Buffer {
  return Buffer.from([type, 0xfe, 0xfd, epoch >> 8, epoch & 255, 0, 0, 0, 0, 9, 99, 0, body.length, ...body]);
}

describe('a live association', () => {
  test('is not disturbed by a fresh hello from its address, with cookie or without', async () => {
    const { port, listener, sessions } = await startEcho(server);
    const live = await BareClient.open(port);
    await live.handshake();
    const stranger = await BareClient.open(port);
    await stranger.handshake();
    const spoofed = stranger.sent[0];
    if (spoofed === undefined) throw new Error('No hello');
    live.send(spoofed);
    await until(() => listener.stats().helloVerifyRequests === 3);
    expect(await live.echo('after a hello')).toBe(true);

    // The attacker that can also read at the address gets a handshake, but not the session.
    const answer = live.received.at(-2);
    const cookie = answer?.subarray(28) ?? Buffer.alloc(0);
    const withCookie = Buffer.concat([
      spoofed.subarray(0, 60),
      Buffer.from([cookie.length]),
      cookie,
      spoofed.subarray(61),
    ]);
    withCookie.writeUInt16BE(withCookie.length - 13, 11);
    withCookie.writeUIntBE(withCookie.length - 25, 14, 3);
    withCookie.writeUIntBE(withCookie.length - 25, 22, 3);
    withCookie.writeUInt16BE(1, 17);
    live.send(withCookie);
    await until(() => listener.stats().pending === 1);
    expect(await live.echo('beside a handshake')).toBe(true);
    expect(sessions).toHaveLength(2);
    await live.vanish();
    await stranger.vanish();
  });

  test('ignores its own hello repeated', async () => {
    const { port, listener } = await startEcho(server);
    const live = await BareClient.open(port);
    await live.handshake();
    live.send(live.sent[1] ?? Buffer.alloc(0));
    await settle();
    expect(listener.stats()).toMatchObject({ handshakes: 1, pending: 0, sessions: 1 });
    expect(await live.echo('still here')).toBe(true);
    await live.vanish();
  });

  test('is replaced when its peer has started anew from the same address, and only when that handshake is complete', async () => {
    const { port, closed, listener } = await startEcho(server);
    const before = await BareClient.open(port);
    await before.handshake();
    const localPort = before.port;
    await before.vanish();
    const after = await BareClient.open(port, {}, localPort);
    expect(closed).toEqual([]);
    await after.handshake();
    expect(await after.echo('reborn')).toBe(true);
    expect(closed).toEqual(['replaced']);
    expect(listener.stats().sessions).toBe(1);
    await after.vanish();
  });

  test('A-237 S-384 takes no record twice, and drops what is forged or damaged', async () => {
    const { port, listener, sessions } = await startEcho(server);
    const live = await BareClient.open(port);
    await live.handshake();
    const taken: string[] = [];
    const [session] = sessions;
    if (session === undefined) throw new Error('No session');
    session.onMessage = (bytes) => taken.push(Buffer.from(bytes).toString());
    live.connection.send(Buffer.from('once'));
    await until(() => taken.length === 1);
    const message = live.sent.at(-1) ?? Buffer.alloc(0);
    const damaged = Buffer.from(message);
    damaged[message.length - 1] = (damaged[message.length - 1] ?? 0) ^ 1;
    for (const datagram of [
      message,
      message,
      damaged,
      record(21, 0, [2, 40]),
      record(21, 0, [1, 0]),
      record(21, 1, [2, 40]),
      record(23, 1, Array<number>(40).fill(7)),
      record(20, 0, [1]),
      record(22, 1, Array<number>(40).fill(7)),
    ])
      live.send(datagram);
    await settle();
    live.connection.send(Buffer.from('last'));
    await until(() => taken.length >= 2);
    expect(taken).toEqual(['once', 'last']);
    expect(listener.stats()).toMatchObject({ sessions: 1, faults: 0 });
    await live.vanish();
  });
});

describe('the end', () => {
  test('S-295 the server says close_notify inside the association, and the client knows', async () => {
    const { port, sessions, closed } = await startEcho(server);
    const client = await connectDtls({ host: '127.0.0.1', port, psk: PSK });
    const told: string[] = [];
    client.onClose = (reason) => told.push(reason);
    sessions[0]?.close();
    await until(() => told.length === 1);
    expect(told).toEqual(['peer-closed']);
    expect(closed).toEqual(['closed']);
    expect(client.send(Buffer.from('too late'))).toBe(false);
    client.close();
    expect(told).toHaveLength(1);
  });

  test('the client says close_notify, and the server forgets it', async () => {
    const { port, closed, listener } = await startEcho(server);
    const client = await connectDtls({ host: '127.0.0.1', port, psk: PSK });
    client.close();
    client.close();
    await until(() => closed.length === 1);
    expect(closed).toEqual(['peer-closed']);
    expect(listener.stats().sessions).toBe(0);
  });

  test('a handler may close, send or throw: its own session ends, the others do not', async () => {
    const boom = new Error('boom');
    const { port, traces, listener } = await startEcho({
      ...server,
      onSession: (session) => {
        session.onMessage = (bytes) => {
          const text = Buffer.from(bytes).toString();
          if (text === 'throw') throw boom;
          session.send(bytes);
          if (text === 'close') session.close();
          if (text === 'close') expect(session.send(bytes)).toBe(false);
        };
      },
    });
    const [thrower, closer, bystander] = await Promise.all([1, 2, 3].map(() => BareClient.open(port)));
    if (thrower === undefined || closer === undefined || bystander === undefined)
      throw new Error('unreachable');
    for (const client of [thrower, closer, bystander]) await client.handshake();
    thrower.connection.send(Buffer.from('throw'));
    closer.connection.send(Buffer.from('close'));
    await until(() => closer.connection.state === 'closed' && thrower.connection.state === 'closed');
    expect(closer.messages).toEqual(['close']);
    expect(await bystander.echo('here')).toBe(true);
    expect(listener.stats()).toMatchObject({ sessions: 1, faults: 1 });
    expect(traces).toContainEqual(expect.objectContaining({ type: 'fault', error: boom }));
    for (const client of [thrower, closer, bystander]) await client.vanish();
  });

  test('what was delivered stays what it was: later datagrams do not write over it', async () => {
    const kept: Uint8Array[] = [];
    const { port } = await startEcho({
      ...server,
      onSession: (session) => {
        session.onMessage = (bytes) => kept.push(bytes);
      },
    });
    const client = await connectDtls({ host: '127.0.0.1', port, psk: PSK });
    for (const text of ['first', 'other', 'third']) client.send(Buffer.from(text));
    await until(() => kept.length === 3);
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(['first', 'other', 'third']);
    client.close();
  });
});

test('S-024 IPv4 and IPv6 are served side by side, one socket each, on one port', async () => {
  const { listener, port } = await startEcho({ ...server, host: ['127.0.0.1', '::1'] });
  expect(listener.addresses).toEqual([`127.0.0.1:${port}`, `[::1]:${port}`]);
  for (const host of ['127.0.0.1', '::1']) {
    const client = await connectDtls({
      host,
      port,
      ca: pki.ca,
      cert: pki.client.certificate,
      key: pki.client.key,
    });
    expect(await echo(client, host)).toBe(host);
    expect(client.remote).toEqual({ address: host, port });
    client.close();
  }
});

test('a taken port is refused with its reason, and leaves nothing behind', async () => {
  const { port } = await startEcho(server);
  await expect(startEcho({ ...server, port })).rejects.toThrow('EADDRINUSE');
});
