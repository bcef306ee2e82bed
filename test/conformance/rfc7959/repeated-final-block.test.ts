/** RFC 7959 §2.5 over Non-confirmable messages: the final block comes again when its answer was lost. */
import { makeBlock } from '#core/coap/block-option.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import { body, bytesOf, NON, option, response, text, UdpPeer } from '#test/support/coap-peer.ts';

const PATH_AND_FORMAT = [option(OPTION.uriPath, 0x6d), makeUintOption(OPTION.contentFormat, 271)];
const WHOLE = body(700);

const part = (number: number, whole = WHOLE): Uint8Array => whole.subarray(number * 256, (number + 1) * 256);

function block(peer: UdpPeer, number: number, messageId: number, token: number, payload: Uint8Array): void {
  const options = [...PATH_AND_FORMAT, makeBlock(OPTION.block1, { number, more: number < 2, exponent: 4 })];
  peer.says(NON, METHOD.put, messageId, { token: bytesOf(token), options, payload });
}

let nextId = 0;

/** All blocks but the final one. */
function begin(peer: UdpPeer): void {
  for (const number of [0, 1]) block(peer, number, ++nextId, number, part(number));
  expect(peer.hears().map(({ code }) => code)).toEqual([RESPONSE.continue, RESPONSE.continue]);
}

const finalBlock = (peer: UdpPeer, messageId: number, token: number, payload = part(2)): void =>
  block(peer, 2, messageId, token, payload);

test('a final block repeated because its answer was lost gets that answer, and the request is not done again', () => {
  const peer = new UdpPeer();
  begin(peer);
  finalBlock(peer, 40_000, 21);
  peer.answer(response(RESPONSE.created, { payload: text('made') }));
  const first = peer.hearsOne();
  for (const token of [22, 23]) {
    finalBlock(peer, 40_000 + token, token);
    const again = peer.hearsOne();
    expect(again).toEqual({ ...first, token: bytesOf(token), messageId: again.messageId });
    expect(again.messageId).not.toBe(first.messageId);
  }
  expect(peer.take('request')).toEqual([]);
  peer.runTo(223_000);
  finalBlock(peer, 41_000, 24);
  expect(peer.hearsOne().code).toBe(RESPONSE.requestEntityIncomplete);
});

test('a final block repeated before the answer is answered once, under its latest token', () => {
  const peer = new UdpPeer();
  begin(peer);
  finalBlock(peer, 40_000, 21);
  finalBlock(peer, 40_001, 22);
  expect(peer.hears()).toEqual([]);
  peer.answer(response(RESPONSE.created));
  expect(peer.hearsOne()).toMatchObject({ code: RESPONSE.created, token: bytesOf(22) });
  finalBlock(peer, 40_002, 23);
  expect(peer.hearsOne()).toMatchObject({ code: RESPONSE.created, token: bytesOf(23) });
});

test('a final block repeated of a request that is left unanswered stays unanswered', () => {
  const peer = new UdpPeer();
  begin(peer);
  finalBlock(peer, 40_000, 21);
  peer.give({ type: 'ignore', exchange: peer.one('request').exchange });
  finalBlock(peer, 40_001, 22);
  expect(peer.hears()).toEqual([]);
  expect(peer.take('request')).toEqual([]);
});

test('a final block of other content is none that was answered, nor is one behind a new first block', () => {
  const peer = new UdpPeer();
  begin(peer);
  finalBlock(peer, 40_000, 21);
  peer.answer(response(RESPONSE.created));
  peer.hears();
  finalBlock(peer, 40_001, 22, part(2, body(700, 5)));
  expect(peer.hearsOne().code).toBe(RESPONSE.requestEntityIncomplete);
  begin(peer);
  finalBlock(peer, 40_002, 23);
  expect(peer.one('request').request.payload).toEqual(body(700));
});
