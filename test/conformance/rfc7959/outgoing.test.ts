/** RFC 7959 at the end that sends request bodies in blocks and fetches responses in blocks. */
import { type Block, makeBlock, readBlock } from '#core/coap/block-option.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { CoapOption, Message } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, optionValues, uintOption } from '#core/coap/options.ts';
import type { UdpMessage } from '#core/coap/udp-message.ts';
import { ACK, body, bytesOf, NON, option, request, text, UdpPeer } from '#test/support/coap-peer.ts';

const PATH = option(OPTION.uriPath, 0x6d);
const ACCEPT = makeUintOption(OPTION.accept, 271);

const block1In = (message: Message) => readBlock(message.options, OPTION.block1);
const block2In = (message: Message) => readBlock(message.options, OPTION.block2);
const tagIn = (message: Message) => optionValues(message.options, OPTION.requestTag);

const block1 = (block: Block) => makeBlock(OPTION.block1, block);
const block2 = (number: number, more: boolean, exponent: number) =>
  makeBlock(OPTION.block2, { number, more, exponent });

/** Answers a request piggybacked. */
function reply(
  peer: UdpPeer,
  to: UdpMessage,
  code: number,
  options: CoapOption[] = [],
  payload = bytesOf(),
): void {
  peer.says(ACK, code, to.messageId, { token: to.token, options, payload });
}

describe('request bodies', () => {
  const put = (peer: UdpPeer, exchange: number, payload: Uint8Array, options = [PATH]): void =>
    peer.give({ type: 'send', exchange, request: request(METHOD.put, { options, payload }) });

  /** Lets the peer take every block; returns the requests. */
  function takeAll(peer: UdpPeer): UdpMessage[] {
    const requests: UdpMessage[] = [];
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears()) {
      requests.push(asked);
      const block = block1In(asked);
      if (block === undefined) throw new Error('a request without Block1');
      reply(peer, asked, block.more ? RESPONSE.continue : RESPONSE.created, [block1(block)]);
    }
    return requests;
  }

  test('P-169 P-184 P-188 blocks go in order, and each body has a Request-Tag of its own', () => {
    const peer = new UdpPeer();
    const bodies = [1, 2].map((exchange) => {
      put(peer, exchange, body(4500));
      return takeAll(peer);
    });
    for (const requests of bodies) {
      expect(requests.map((asked) => block1In(asked)?.number)).toEqual([0, 1, 2, 3, 4]);
      expect(Buffer.concat(requests.map(({ payload }) => payload))).toEqual(Buffer.from(body(4500)));
      expect(uintOption(requests[0]?.options ?? [], OPTION.size1)).toBe(4500);
      expect(new Set(requests.map((asked) => String(tagIn(asked)))).size).toBe(1);
      expect(new Set(requests.map(({ token }) => String(token))).size).toBe(5);
    }
    expect(tagIn(bodies[0]?.[0] as Message)).not.toEqual(tagIn(bodies[1]?.[0] as Message));
    expect(peer.take('response').map(({ response: { code } }) => code)).toEqual([0x41, 0x41]);
  });

  test('P-166 a smaller size in the answer is heeded, and NUM counts in it', () => {
    const peer = new UdpPeer();
    put(peer, 1, body(2500));
    reply(peer, peer.hearsOne(), RESPONSE.continue, [block1({ number: 0, more: true, exponent: 4 })]);
    const next = peer.hearsOne();
    expect(block1In(next)).toEqual({ number: 4, more: true, exponent: 4 });
    expect(next.payload).toEqual(body(2500).subarray(1024, 1280));
  });

  test('P-176 4.08 makes it start again from block 0, a bounded number of times', () => {
    const peer = new UdpPeer();
    put(peer, 1, body(2500));
    const tags = new Set<string>();
    let attempts = 0;
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears()) {
      if (block1In(asked)?.number === 0) {
        attempts++;
        tags.add(String(tagIn(asked)));
        reply(peer, asked, RESPONSE.continue, [block1({ number: 0, more: true, exponent: 6 })]);
      } else reply(peer, asked, RESPONSE.requestEntityIncomplete);
    }
    expect(attempts).toBe(3);
    expect(tags.size).toBe(3);
    expect(peer.one('response').response.code).toBe(RESPONSE.requestEntityIncomplete);
  });

  test('P-175 4.13 with a smaller size makes it try that', () => {
    const peer = new UdpPeer();
    put(peer, 1, body(2500));
    const smaller = [block1({ number: 0, more: true, exponent: 2 })];
    reply(peer, peer.hearsOne(), RESPONSE.requestEntityTooLarge, smaller);
    expect(block1In(peer.hearsOne())).toEqual({ number: 0, more: true, exponent: 2 });
    // A plain request too, by its hint.
    const plain = new UdpPeer();
    put(plain, 1, body(500));
    reply(plain, plain.hearsOne(), RESPONSE.requestEntityTooLarge, smaller);
    expect(block1In(plain.hearsOne())).toEqual({ number: 0, more: true, exponent: 2 });
    const unhinted = new UdpPeer();
    put(unhinted, 1, body(1100));
    reply(unhinted, unhinted.hearsOne(), RESPONSE.requestEntityTooLarge);
    expect(block1In(unhinted.hearsOne())).toEqual({ number: 0, more: true, exponent: 6 });
    // Where the body as a whole is too large, blocks do not help.
    const limited = new UdpPeer();
    put(limited, 1, body(500));
    reply(limited, limited.hearsOne(), RESPONSE.requestEntityTooLarge, [makeUintOption(OPTION.size1, 400)]);
    expect(limited.hears()).toEqual([]);
    expect(limited.one('response').response.code).toBe(RESPONSE.requestEntityTooLarge);
    // And not for ever.
    const stubborn = new UdpPeer();
    put(stubborn, 1, body(500));
    for (let [asked] = stubborn.hears(); asked !== undefined; [asked] = stubborn.hears())
      reply(stubborn, asked, RESPONSE.requestEntityTooLarge, smaller);
    expect(stubborn.one('response').response.code).toBe(RESPONSE.requestEntityTooLarge);
  });

  test('P-183 If-None-Match goes with the first block only', () => {
    const peer = new UdpPeer();
    put(peer, 1, body(2500), [option(OPTION.ifNoneMatch), PATH]);
    const conditional = takeAll(peer).map(({ options }) =>
      options.some(({ number }) => number === OPTION.ifNoneMatch),
    );
    expect(conditional).toEqual([true, false, false]);
  });

  test('an error in the middle is the answer', () => {
    const peer = new UdpPeer();
    put(peer, 1, body(2500));
    reply(peer, peer.hearsOne(), RESPONSE.unauthorized, [], text('no'));
    expect(peer.one('response').response).toMatchObject({ code: RESPONSE.unauthorized, payload: text('no') });
    expect(peer.hears()).toEqual([]);
  });

  test('a request whose options leave no room fails as too large', () => {
    const peer = new UdpPeer({ maxPayload: 100 });
    put(peer, 1, body(500), [{ number: OPTION.uriPath, value: body(80) }]);
    expect(peer.one('failed')).toMatchObject({ exchange: 1, reason: 'too-large' });
  });
});

describe('response bodies', () => {
  const get = (peer: UdpPeer, options = [PATH, ACCEPT], confirmable = true): void =>
    peer.give({ type: 'send', exchange: 1, request: request(METHOD.get, { options, confirmable }) });
  const ETAG = option(OPTION.etag, 1, 2);
  const whole = body(700);

  /** Answers a request for a block of `content`. */
  function serve(
    peer: UdpPeer,
    asked: UdpMessage,
    content: Uint8Array,
    etag: CoapOption,
    exponent = 4,
  ): void {
    const size = 16 << exponent;
    const number = block2In(asked)?.number ?? 0;
    const more = (number + 1) * size < content.length;
    const payload = content.subarray(number * size, (number + 1) * size);
    reply(peer, asked, RESPONSE.content, [etag, block2(number, more, exponent)], payload);
  }

  test('P-152 P-154 P-155 P-159 S-167 S-169 the rest is asked for in the server’s size, with the ETag and the same options', () => {
    const peer = new UdpPeer();
    get(peer);
    const requests = [peer.hearsOne()];
    serve(peer, requests[0] as UdpMessage, whole, ETAG);
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears()) {
      requests.push(asked);
      serve(peer, asked, whole, ETAG);
    }
    expect(requests.map(({ options }) => options)).toEqual([
      [PATH, ACCEPT],
      [ETAG, PATH, ACCEPT, block2(1, false, 4)],
      [ETAG, PATH, ACCEPT, block2(2, false, 4)],
    ]);
    expect(peer.one('response')).toMatchObject({
      more: false,
      response: { payload: whole, options: [ETAG] },
    });
  });

  test('P-161 S-169 blocks of different ETags are not put together: it starts again', () => {
    const peer = new UdpPeer();
    get(peer);
    serve(peer, peer.hearsOne(), whole, ETAG);
    const changed = option(OPTION.etag, 9);
    serve(peer, peer.hearsOne(), body(700, 50), changed);
    const again = peer.hearsOne();
    expect(again.options).toEqual([PATH, ACCEPT, block2(0, false, 4)]);
    serve(peer, again, body(700, 50), changed);
    serve(peer, peer.hearsOne(), body(700, 50), changed);
    serve(peer, peer.hearsOne(), body(700, 50), changed);
    expect(peer.one('response').response.payload).toEqual(body(700, 50));
  });

  test('P-161 a body that keeps changing is given up', () => {
    const peer = new UdpPeer();
    get(peer);
    let version = 0;
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears())
      serve(peer, asked, body(700, version), option(OPTION.etag, ++version));
    expect(version).toBeLessThan(12);
    expect(peer.one('failed').reason).toBe('malformed-response');
  });

  test('a server that takes the ETag for a validation is asked without it', () => {
    const peer = new UdpPeer();
    get(peer);
    serve(peer, peer.hearsOne(), whole, ETAG);
    const asked = peer.hearsOne();
    reply(peer, asked, RESPONSE.valid, [ETAG]);
    for (let [next] = peer.hears(); next !== undefined; [next] = peer.hears()) {
      expect(optionValues(next.options, OPTION.etag)).toEqual([]);
      serve(peer, next, whole, ETAG);
    }
    expect(peer.one('response').response.payload).toEqual(whole);
  });

  test('a block out of place, or of the wrong length, fails the request', () => {
    const bad: [CoapOption, number][] = [
      [block2(2, true, 4), 256],
      [block2(1, true, 4), 100],
      [option(OPTION.block2), 10],
    ];
    for (const [block, length] of bad) {
      const peer = new UdpPeer();
      get(peer);
      serve(peer, peer.hearsOne(), whole, ETAG);
      reply(peer, peer.hearsOne(), RESPONSE.content, [ETAG, block], body(length));
      expect(peer.one('failed').reason).toBe('malformed-response');
    }
  });

  test('a body without end is given up at the limit', () => {
    const peer = new UdpPeer({ maxBody: 5000 });
    get(peer);
    let blocks = 0;
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears()) {
      blocks++;
      serve(peer, asked, new Uint8Array(100_000), ETAG, 6);
    }
    expect(blocks).toBe(5);
    expect(peer.one('failed').reason).toBe('too-large');
  });

  test('P-308 P-182 after a body in blocks the answer is fetched in order, without Block1 and payload', () => {
    const peer = new UdpPeer();
    const payload = body(1500);
    peer.give({ type: 'send', exchange: 1, request: request(METHOD.put, { options: [PATH], payload }) });
    reply(peer, peer.hearsOne(), RESPONSE.continue, [block1({ number: 0, more: true, exponent: 6 })]);
    const last = peer.hearsOne();
    const options = [ETAG, block2(0, true, 4), block1({ number: 1, more: false, exponent: 6 })];
    reply(peer, last, RESPONSE.changed, options, whole.subarray(0, 256));
    const numbers: (number | undefined)[] = [];
    for (let [asked] = peer.hears(); asked !== undefined; [asked] = peer.hears()) {
      numbers.push(block2In(asked)?.number);
      expect(asked.payload).toEqual(bytesOf());
      expect(block1In(asked)).toBeUndefined();
      serve(peer, asked, whole, ETAG);
    }
    expect(numbers).toEqual([1, 2]);
    expect(peer.one('response').response.payload).toEqual(whole);
  });

  test('a Non-confirmable block without answer is asked for again after 3 s, a bounded number of times', () => {
    const peer = new UdpPeer();
    get(peer, [PATH], false);
    const first = peer.hearsOne();
    peer.says(NON, RESPONSE.content, 1, {
      token: first.token,
      options: [ETAG, block2(0, true, 4)],
      payload: whole.subarray(0, 256),
    });
    const asked = peer.hears();
    peer.runTo(2999);
    expect(peer.hears()).toEqual([]);
    peer.runTo(130_000);
    asked.push(...peer.hears());
    expect(asked).toHaveLength(4);
    for (const message of asked) expect(message).toMatchObject({ type: NON, options: asked[0]?.options });
    expect(new Set(asked.map(({ token }) => String(token))).size).toBe(4);
    expect(peer.one('failed').reason).toBe('timeout');
  });
});
