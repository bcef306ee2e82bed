/** What one peer can make an endpoint remember is bounded, however much it sends. */

import { makeBlock } from '#core/coap/block-option.ts';
import { Block1Reassembly } from '#core/coap/block1-reassembly.ts';
import { Block2Cache } from '#core/coap/block2-cache.ts';
import { METHOD } from '#core/coap/code.ts';
import { Deduplication, type Received } from '#core/coap/deduplication.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { ACK, body, bytesOf, CON, option, RST, request, response, UdpPeer } from '#test/support/coap-peer.ts';

const received = (messageId: number, now: number, confirmable = true): Received => ({
  confirmable,
  messageId,
  expiresAt: now + (confirmable ? 223_000 : 121_000),
  answer: undefined,
  acknowledgeAt: 0,
});

test('P-035 of 100,000 messages the latest are remembered, and after their lifetime none', () => {
  const known = new Deduplication();
  for (let count = 0; count < 100_000; count++) {
    known.remember(received(count % 65_536, count, count % 2 === 0), count);
    expect(known.size).toBeLessThanOrEqual(256);
  }
  expect(known.find(99_999 % 65_536, 100_000)).toBeDefined();
  expect(known.find((99_999 - 255) % 65_536, 100_000)).toBeDefined();
  expect(known.find((99_999 - 256) % 65_536, 100_000)).toBeUndefined();
  known.remember(received(1, 1_000_000), 1_000_000);
  expect(known.size).toBe(1);
});

test('unfinished request bodies: at most four, and none for ever', () => {
  const reassembly = new Block1Reassembly(4096);
  const block = { number: 0, more: true, exponent: 4 };
  for (let name = 0; name < 100; name++) {
    const options = [option(OPTION.uriPath, name), makeBlock(OPTION.block1, block)];
    const message = { code: METHOD.put, token: bytesOf(), options, payload: body(256) };
    expect(reassembly.accept(message, block, name, 1000).kind).toBe('continue');
    expect(reassembly.size).toBeLessThanOrEqual(4);
  }
  expect(reassembly.deadline).toBe(1096);
  reassembly.expire(1099);
  expect(reassembly.size).toBe(0);
});

test('response bodies kept: at most four, the one asked for least recently goes first', () => {
  const cache = new Block2Cache();
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, response(0x45), 100);
  expect(cache.get('a', 0, 100)).toBeDefined();
  cache.set('e', response(0x45), 100);
  expect(cache.size).toBe(4);
  expect(cache.get('b', 0, 100)).toBeUndefined();
  expect(cache.get('a', 0, 100)).toBeDefined();
  expect(cache.get('a', 100, 200)).toBeUndefined();
});

test('resets are understood for the latest Non-confirmable messages', () => {
  const peer = new UdpPeer();
  const put = request(METHOD.put, { confirmable: false });
  for (let exchange = 1; exchange <= 300; exchange++) peer.give({ type: 'send', exchange, request: put });
  const sent = peer.hears();
  peer.saysEmpty(RST, sent[0]?.messageId ?? -1);
  expect(peer.take('failed')).toEqual([]);
  peer.saysEmpty(RST, sent[299]?.messageId ?? -1);
  expect(peer.one('failed')).toMatchObject({ exchange: 300, reason: 'reset' });
});

test('separate responses to a peer that acknowledges none: at most 64 wait', () => {
  const peer = new UdpPeer({ separateAfterMs: 50 });
  for (let messageId = 0; messageId < 100; messageId++) {
    peer.says(CON, METHOD.get, messageId, { token: bytesOf(messageId) });
    peer.runTo(peer.now + 50);
    peer.answer(response(0x45));
  }
  // One is in flight, 64 wait.
  expect(peer.traces().filter((kind) => kind === 'rejected')).toHaveLength(35);
  peer.hears();
  const answered = new Set<number>();
  for (let round = 0; round < 200; round++) {
    peer.runTo(peer.now + 3000);
    for (const { type, messageId, token } of peer.hears()) {
      if (type !== CON) continue;
      answered.add(token[0] ?? -1);
      peer.saysEmpty(ACK, messageId);
    }
  }
  expect(answered.size).toBe(65);
});
