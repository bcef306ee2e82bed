/** RFC 7959 at the end that takes request bodies in blocks and serves responses in blocks. */

import { makeBlock, readBlock } from '#core/coap/block-option.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Message } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, optionValues, uintOption } from '#core/coap/options.ts';
import {
  body,
  bytesOf,
  CON,
  NON,
  option,
  response,
  TcpPeer,
  text,
  UdpPeer,
} from '#test/support/coap-peer.ts';

const PATH = option(OPTION.uriPath, 0x6d);
const FORMAT = makeUintOption(OPTION.contentFormat, 271);
/** Sizes by exponent: 2 is 64, 4 is 256, 6 is 1024. */
const block1 = (number: number, more: boolean, exponent = 4) =>
  makeBlock(OPTION.block1, { number, more, exponent });
const block2 = (number: number, exponent: number, more = false) =>
  makeBlock(OPTION.block2, { number, more, exponent });

const block1In = (message: Message) => readBlock(message.options, OPTION.block1);
const block2In = (message: Message) => readBlock(message.options, OPTION.block2);
const etagIn = (message: Message) => optionValues(message.options, OPTION.etag)[0];

let nextId = 0;

/** Sends one block of a PUT and returns what came back, if anything did. */
function put(
  peer: UdpPeer,
  number: number,
  more: boolean,
  payload: Uint8Array,
  options = [FORMAT, PATH],
  exponent = 4,
): Message | undefined {
  const all = [...options, block1(number, more, exponent)].sort((a, b) => a.number - b.number);
  peer.says(CON, METHOD.put, ++nextId & 0xffff, { token: bytesOf(number), options: all, payload });
  return peer.hears()[0];
}

const part = (number: number, whole = body(700), size = 256): Uint8Array =>
  whole.subarray(number * size, (number + 1) * size);

describe('request bodies', () => {
  test('P-164 P-307 blocks get 2.31 with the option echoed and nothing else; the body is handed up whole', () => {
    const peer = new UdpPeer();
    for (const number of [0, 1]) {
      const answer = put(peer, number, true, part(number), [FORMAT, PATH, option(OPTION.block2, 2)]);
      expect(answer).toMatchObject({ code: RESPONSE.continue, payload: bytesOf() });
      expect(answer?.options).toEqual([block1(number, true)]);
      expect(peer.take('request')).toEqual([]);
    }
    expect(put(peer, 2, false, part(2))).toBeUndefined();
    const asked = peer.one('request');
    expect(asked.request).toMatchObject({ payload: body(700), options: [PATH, FORMAT] });
    peer.give({ type: 'respond', exchange: asked.exchange, response: response(RESPONSE.created) });
    const final = peer.hearsOne();
    expect(final.code).toBe(RESPONSE.created);
    expect(block1In(final)).toEqual({ number: 2, more: false, exponent: 4 });
  });

  test('P-148 two Block options of a kind are refused', () => {
    const peer = new UdpPeer();
    peer.says(CON, METHOD.get, 1, { options: [block2(0, 2), block2(1, 2)] });
    expect(peer.hearsOne().code).toBe(RESPONSE.badOption);
  });

  test('P-150 size exponent 7 gets 4.00 over UDP', () => {
    const peer = new UdpPeer();
    peer.says(CON, METHOD.get, 1, { options: [block2(0, 7)] });
    expect(peer.hearsOne().code).toBe(RESPONSE.badRequest);
    expect(put(peer, 0, true, body(1024), [PATH], 7)?.code).toBe(RESPONSE.badRequest);
    expect(peer.take('request')).toEqual([]);
  });

  test('P-151 a block with M whose payload is not of the block size gets 4.00', () => {
    const peer = new UdpPeer();
    expect(put(peer, 0, true, body(255))?.code).toBe(RESPONSE.badRequest);
    expect(put(peer, 0, true, body(257))?.code).toBe(RESPONSE.badRequest);
    expect(put(peer, 1, false, part(1))?.code).toBe(RESPONSE.requestEntityIncomplete);
    expect(peer.take('request')).toEqual([]);
  });

  test('P-167 P-168 S-414 a block without the earlier ones gets 4.08, and nothing is handed up', () => {
    const peer = new UdpPeer();
    expect(put(peer, 3, true, part(0))?.code).toBe(RESPONSE.requestEntityIncomplete);
    put(peer, 0, true, part(0));
    expect(put(peer, 2, false, part(2))?.code).toBe(RESPONSE.requestEntityIncomplete);
    expect(peer.take('request')).toEqual([]);
  });

  test('P-170 a body that pauses for EXCHANGE_LIFETIME is dropped, by itself', () => {
    const patient = new UdpPeer();
    put(patient, 0, true, part(0));
    patient.runTo(222_999);
    expect(put(patient, 1, true, part(1))?.code).toBe(RESPONSE.continue);
    const late = new UdpPeer();
    put(late, 0, true, part(0));
    late.runTo(223_000);
    expect(put(late, 1, false, part(1))?.code).toBe(RESPONSE.requestEntityIncomplete);
    expect(late.endpoint.deadline).toBeUndefined();
  });

  test('P-171 a new block 0 begins the body anew', () => {
    const peer = new UdpPeer();
    put(peer, 0, true, part(0));
    put(peer, 0, true, part(0, body(500, 3)));
    put(peer, 1, false, part(1, body(500, 3)));
    expect(peer.one('request').request.payload).toEqual(body(500, 3));
  });

  test('P-172 blocks of different Content-Format are not joined', () => {
    const peer = new UdpPeer();
    put(peer, 0, true, part(0));
    const other = makeUintOption(OPTION.contentFormat, 60);
    expect(put(peer, 1, false, part(1), [PATH, other])?.code).toBe(RESPONSE.requestEntityIncomplete);
    expect(peer.take('request')).toEqual([]);
  });

  test('P-173 P-174 P-177 S-416 a body over the limit gets 4.13 with Size1, in blocks, announced, or plain', () => {
    const peer = new UdpPeer({ maxBody: 600 });
    const refusals: (Message | undefined)[] = [];
    put(peer, 0, true, part(0));
    put(peer, 1, true, part(1));
    refusals.push(put(peer, 2, false, part(2)));
    refusals.push(put(peer, 0, true, part(0), [PATH, makeUintOption(OPTION.size1, 601)]));
    for (const refusal of refusals) expect(block1In(refusal as Message)).toBeDefined();
    peer.says(CON, METHOD.put, 5000, { options: [PATH], payload: body(601) });
    refusals.push(peer.hearsOne());
    for (const refusal of refusals) {
      expect(refusal?.code).toBe(RESPONSE.requestEntityTooLarge);
      expect(uintOption(refusal?.options ?? [], OPTION.size1)).toBe(600);
    }
    // A Size1 that is wrong, but not too large, does no harm.
    put(peer, 0, true, part(0), [PATH, makeUintOption(OPTION.size1, 300)]);
    put(peer, 1, false, part(1), [PATH]);
    expect(peer.one('request').request.payload).toHaveLength(512);
  });

  test('P-185 P-186 P-187 transfers with different Request-Tags are not mixed, and no response has one', () => {
    const peer = new UdpPeer();
    const tags = [
      [PATH, option(OPTION.requestTag)],
      [PATH, option(OPTION.requestTag, 8, 7, 6, 5, 4, 3, 2, 1)],
    ];
    const [one = [], two = []] = tags;
    const answers = [
      put(peer, 0, true, part(0), one),
      put(peer, 0, true, part(0, body(512, 9)), two),
      put(peer, 1, false, part(1, body(512)), one),
      put(peer, 1, false, part(1, body(512, 9)), two),
    ];
    const asked = peer.take('request');
    expect(asked.map(({ request }) => request.payload)).toEqual([
      new Uint8Array([...part(0), ...part(1, body(512))]),
      body(512, 9),
    ]);
    for (const { exchange } of asked)
      peer.give({ type: 'respond', exchange, response: response(RESPONSE.created) });
    for (const message of [...answers, ...peer.hears()])
      expect(optionValues(message?.options ?? [], OPTION.requestTag)).toEqual([]);
  });

  test('P-189 one transfer too many costs the oldest, which gets 4.08', () => {
    const peer = new UdpPeer();
    const path = (name: number) => [option(OPTION.uriPath, name)];
    for (let name = 0; name < 5; name++) put(peer, 0, true, part(0), path(name));
    expect(put(peer, 1, false, part(1), path(0))?.code).toBe(RESPONSE.requestEntityIncomplete);
    for (let name = 1; name < 5; name++) put(peer, 1, false, part(1), path(name));
    expect(peer.take('request')).toHaveLength(4);
  });

  test('a block repeated under a new message id gets its 2.31 again', () => {
    const peer = new UdpPeer();
    put(peer, 0, true, part(0));
    for (let copy = 0; copy < 3; copy++) expect(put(peer, 1, true, part(1))?.code).toBe(RESPONSE.continue);
    put(peer, 2, false, part(2));
    expect(peer.one('request').request.payload).toEqual(body(700));
  });

  test('P-165 a block larger than what may be sent to the peer is acknowledged with the size that fits', () => {
    const peer = new UdpPeer({ maxPayload: 350 });
    const whole = body(1500);
    const first = put(peer, 0, true, whole.subarray(0, 1024), [PATH], 6);
    expect(first?.code).toBe(RESPONSE.continue);
    expect(block1In(first as Message)).toEqual({ number: 0, more: true, exponent: 4 });
    const second = put(peer, 4, true, whole.subarray(1024, 1280), [PATH]);
    expect(block1In(second as Message)).toEqual({ number: 4, more: true, exponent: 4 });
    put(peer, 5, false, whole.subarray(1280), [PATH]);
    expect(peer.one('request').request.payload).toEqual(whole);
  });

  test('P-168 a block from further back is out of sequence', () => {
    const peer = new UdpPeer();
    const whole = body(2000);
    for (const number of [0, 1, 2]) put(peer, number, true, part(number, whole));
    expect(put(peer, 1, true, part(1, whole))?.code).toBe(RESPONSE.requestEntityIncomplete);
  });

  test('P-183 an If-None-Match of the first block holds for the whole', () => {
    const peer = new UdpPeer();
    put(peer, 0, true, part(0), [option(OPTION.ifNoneMatch), PATH]);
    put(peer, 1, false, part(1), [PATH]);
    expect(peer.one('request').request.options).toContainEqual(option(OPTION.ifNoneMatch));
  });
});

describe('response bodies', () => {
  /** Asks for a block by NON and answers with `payload` when the request is handed up. */
  function get(peer: UdpPeer, options: readonly ReturnType<typeof option>[], payload: Uint8Array): Message {
    const all = [PATH, ...options].sort((a, b) => a.number - b.number);
    peer.says(NON, METHOD.get, ++nextId & 0xffff, { token: bytesOf(1), options: all });
    for (const { exchange } of peer.take('request'))
      peer.give({ type: 'respond', exchange, response: response(RESPONSE.content, { payload }) });
    return peer.hearsOne();
  }

  test('P-158 P-160 a body that does not fit comes with Block2 NUM 0, the largest fitting size, and Size2', () => {
    const peer = new UdpPeer();
    const first = get(peer, [], body(3000));
    expect(block2In(first)).toEqual({ number: 0, more: true, exponent: 6 });
    expect(uintOption(first.options, OPTION.size2)).toBe(3000);
    expect(first.payload).toEqual(body(3000).subarray(0, 1024));
    const narrow = get(new UdpPeer({ maxPayload: 500 }), [], body(3000));
    expect(block2In(narrow)).toEqual({ number: 0, more: true, exponent: 4 });
  });

  test('P-152 P-153 P-156 every block has at most the size asked for and the same ETag; M in a request is ignored', () => {
    const peer = new UdpPeer();
    const whole = body(200);
    const blocks = [0, 1, 2, 3].map((number) => get(peer, [block2(number, 2, true)], whole));
    expect(Buffer.concat(blocks.map(({ payload }) => payload))).toEqual(Buffer.from(whole));
    for (const [number, message] of blocks.entries()) {
      expect(block2In(message)).toEqual({ number, more: number < 3, exponent: 2 });
      expect(etagIn(message)).toEqual(etagIn(blocks[0] ?? message));
    }
    expect(etagIn(blocks[0] as Message)).toHaveLength(8);
  });

  test('later blocks come from the body begun, though the resource has changed', () => {
    const peer = new UdpPeer();
    const first = get(peer, [], body(2000));
    const second = get(peer, [block2(1, 6)], body(2000, 99));
    expect(Buffer.concat([first.payload, second.payload])).toEqual(Buffer.from(body(2000)));
    expect(peer.take('request')).toEqual([]);
  });

  test('P-162 a block beyond the end gets 4.00 with a diagnostic', () => {
    const peer = new UdpPeer();
    get(peer, [], body(3000));
    const beyond = get(peer, [block2(500, 6)], body(3000));
    expect(beyond.code).toBe(RESPONSE.badRequest);
    expect(beyond.payload.length).toBeGreaterThan(0);
  });

  test('an error in place of a later block stays the error it is', () => {
    const peer = new UdpPeer();
    peer.says(NON, METHOD.get, ++nextId & 0xffff, { options: [PATH, block2(2, 6)] });
    peer.answer(response(RESPONSE.notFound, { payload: text('gone') }));
    expect(peer.hearsOne()).toMatchObject({ code: RESPONSE.notFound, payload: text('gone'), options: [] });
  });

  test('P-163 a hundred contents have a hundred ETags, and the same content has the same', () => {
    const etags = new Set<string>();
    const peer = new UdpPeer();
    for (let count = 0; count < 100; count++) {
      peer.now += 1000;
      const content = body(1500);
      content[count] = (content[count] ?? 0) ^ 1;
      etags.add(Buffer.from(etagIn(get(peer, [], content)) ?? []).toString('hex'));
    }
    expect(etags.size).toBe(100);
    expect(etagIn(get(peer, [], body(1500)))).toEqual(etagIn(get(new UdpPeer(), [], body(1500))));
  });

  test('P-178 Size2 0 in a request does no harm', () => {
    const message = get(new UdpPeer(), [option(OPTION.size2)], body(3000));
    expect(uintOption(message.options, OPTION.size2)).toBe(3000);
  });

  test('P-305 a request for a later block that repeats the ETag gets the block, kept or made anew', () => {
    for (const pauseMs of [1000, 300_000]) {
      const peer = new UdpPeer();
      const first = get(peer, [], body(2000));
      peer.runTo(pauseMs);
      const etag = { number: OPTION.etag, value: etagIn(first) ?? bytesOf() };
      peer.says(NON, METHOD.get, ++nextId & 0xffff, { options: [etag, PATH, block2(1, 6)] });
      for (const { request, exchange } of peer.take('request')) {
        expect(request.options).toEqual([PATH]);
        const again = response(RESPONSE.content, { payload: body(2000) });
        peer.give({ type: 'respond', exchange, response: again });
      }
      const message = peer.hearsOne();
      expect(message.code).toBe(RESPONSE.content);
      expect(message.payload).toEqual(body(2000).subarray(1024));
      expect(etagIn(message)).toEqual(etag.value);
    }
  });

  test('P-182 a large answer to a PUT in blocks: the last block starts it, and the rest repeats nothing', () => {
    const peer = new UdpPeer();
    put(peer, 0, true, part(0));
    put(peer, 1, false, part(1));
    peer.answer(response(RESPONSE.changed, { payload: body(1500) }));
    const first = peer.hearsOne();
    expect(block1In(first)).toEqual({ number: 1, more: false, exponent: 4 });
    expect(block2In(first)).toEqual({ number: 0, more: true, exponent: 6 });
    peer.says(CON, METHOD.put, ++nextId, { token: bytesOf(7), options: [PATH, block2(1, 6)] });
    expect(peer.hearsOne().payload).toEqual(body(1500).subarray(1024));
    expect(peer.take('request')).toEqual([]);
    // Asked for long after, the PUT is not done again.
    peer.runTo(300_000);
    peer.says(CON, METHOD.put, ++nextId, { token: bytesOf(8), options: [PATH, block2(1, 6)] });
    expect(peer.hearsOne().code).toBe(RESPONSE.requestEntityIncomplete);
    expect(peer.take('request')).toEqual([]);
  });

  test('bodies kept for later blocks are few and go by themselves', () => {
    const peer = new UdpPeer();
    for (let name = 0; name < 20; name++) get(peer, [option(OPTION.uriQuery, name)], body(2000));
    expect(peer.endpoint.deadline).toBeDefined();
    peer.runTo(300_000);
    expect(peer.endpoint.deadline).toBeUndefined();
  });

  test('P-256 over TCP BERT blocks are understood both ways', () => {
    const peer = new TcpPeer().introduced();
    peer.says(0xe1, { options: [makeUintOption(2, 5000)] });
    const whole = body(6000);
    for (const [number, end] of [
      [0, 3072],
      [3, 6000],
    ] as const) {
      const payload = whole.subarray(number * 1024, end);
      peer.says(METHOD.put, { token: bytesOf(1), options: [PATH, block1(number, end < 6000, 7)], payload });
    }
    expect(block1In(peer.hearsOne())).toEqual({ number: 0, more: true, exponent: 7 });
    const { request, exchange } = peer.one('request');
    expect(request.payload).toEqual(whole);
    peer.give({ type: 'respond', exchange, response: response(RESPONSE.changed, { payload: text('ok') }) });
    peer.hears();
    peer.says(METHOD.get, { token: bytesOf(2), options: [PATH, block2(0, 7)] });
    peer.answer(response(RESPONSE.content, { payload: whole }));
    const first = peer.hearsOne();
    expect(block2In(first)).toEqual({ number: 0, more: true, exponent: 7 });
    expect(first.payload).toHaveLength(4096);
    peer.says(METHOD.get, { token: bytesOf(3), options: [PATH, block2(4, 7)] });
    expect(peer.hearsOne().payload).toEqual(whole.subarray(4096));
  });
});

test('P-147 P-149 block values: number, more bit and size exponent', () => {
  expect(makeBlock(OPTION.block2, { number: 2, more: false, exponent: 1 }).value).toEqual(bytesOf(33));
  expect(makeBlock(OPTION.block1, { number: 3, more: true, exponent: 3 }).value).toEqual(bytesOf(59));
  expect(makeBlock(OPTION.block1, { number: 0, more: false, exponent: 0 }).value).toEqual(bytesOf());
  const largest = makeBlock(OPTION.block1, { number: 0xfffff, more: true, exponent: 6 });
  expect(largest.value).toEqual(bytesOf(0xff, 0xff, 0xfe));
  expect(readBlock([largest], OPTION.block1)).toEqual({ number: 0xfffff, more: true, exponent: 6 });
  expect([OPTION.block1, OPTION.block2, OPTION.size1, OPTION.size2]).toEqual([27, 23, 60, 28]);
});
