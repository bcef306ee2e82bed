/** Hostile datagrams against one association and against the listener: nobody falls, nothing grows. */
import { createSocket } from 'node:dgram';
import { BareClient, PSK, pskKey, settle, startEcho, stopEchoes } from '#test/support/dtls.ts';
import { makePair } from '#test/support/dtls-pair.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };

afterEach(stopEchoes);

/** Xorshift: the same datagrams in every run. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A record with a plausible header, or a datagram seen before with a few bytes changed. */
function hostile(corpus: readonly Buffer[], random: (below: number) => number): Buffer {
  const seen = corpus[random(corpus.length || 1)];
  if (seen === undefined || random(3) === 0) {
    const length = [0, 1, 2, 12, 16, 23, 24, 40, 100][random(9)] ?? 0;
    const type = [20, 21, 22, 23, random(256)][random(5)] ?? 0;
    const epoch = random(3);
    const header = [type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, random(4), random(256), 0, length];
    return Buffer.from([...header, ...Array.from({ length }, () => random(256))]);
  }
  const copy = Buffer.from(seen);
  for (let changes = random(4); changes >= 0; changes--) copy[random(copy.length)] = random(256);
  return random(8) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}

test('100,000 hostile datagrams do not end an association at either end', () => {
  const random = chance(20261125);
  const pair = makePair({ server, client: { serverName: 'dots.test', psk: PSK } });
  const corpus: Buffer[] = [];
  for (let count = 0; count < 100_000; count++) {
    (random(2) === 0 ? pair.server : pair.client).receive(hostile(corpus, random));
    if (count % 100 > 0) continue;
    pair.client.send(Buffer.from(`message ${count}`));
    pair.server.send(Buffer.from(`message ${count}`));
    corpus.push(...pair.toServer, ...pair.toClient);
    if (corpus.length > 200) corpus.splice(0, 100);
    if (!pair.works()) throw new Error(`Ended after ${count}: ${JSON.stringify(pair.server.ending)}`);
  }
  expect(pair.works()).toBe(true);
  pair.dispose();
});

test('20,000 hostile datagrams to the listener: it lives, peers are served, the heap is flat', async () => {
  const random = chance(4646);
  const { port, listener } = await startEcho({
    ...server,
    onTrace: () => undefined,
    handshakeTimeoutMs: 300,
  });
  const live = await BareClient.open(port);
  await live.handshake();
  const strangers = Array.from({ length: 8 }, () => createSocket('udp4'));
  const corpus = [...live.sent];
  const shower = async (datagrams: number): Promise<number> => {
    for (let count = 0; count < datagrams; count++) {
      const datagram = hostile(corpus, random);
      if (datagram.length === 0) continue;
      if (random(3) === 0) live.send(datagram);
      else strangers[random(strangers.length)]?.send(datagram, port, '127.0.0.1');
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await settle();
    return process.memoryUsage().rss;
  };
  const before = await shower(4_000);
  const after = await shower(16_000);
  expect(after - before).toBeLessThan(30_000_000);
  expect(await live.echo('still here')).toBe(true);
  const fresh = await BareClient.open(port);
  await fresh.handshake();
  expect(await fresh.echo('newcomer')).toBe(true);
  expect(listener.stats().faults).toBe(0);
  expect(listener.stats().dropped).toBeGreaterThan(1000);
  for (const socket of strangers) socket.close();
  await live.vanish();
  await fresh.vanish();
});

test('flights damaged after a good cookie fail alone', async () => {
  const random = chance(9132);
  const { port, listener, sessions } = await startEcho({ ...server, handshakeTimeoutMs: 300 });
  const bystander = await BareClient.open(port);
  await bystander.handshake();
  const damaged = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const client = await BareClient.open(port);
      const send = client.send.bind(client);
      client.send = (datagram) => {
        const copy = Buffer.from(datagram);
        if (client.sent.length > 2)
          for (let changes = 0; changes < 3; changes++) copy[13 + random(copy.length - 13)] = random(256);
        send(copy);
      };
      client.begin();
      return client;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(sessions).toHaveLength(1);
  expect(listener.stats()).toMatchObject({ pending: 0, faults: 0 });
  expect(await bystander.echo('unmoved')).toBe(true);
  for (const client of [bystander, ...damaged]) await client.vanish();
});
