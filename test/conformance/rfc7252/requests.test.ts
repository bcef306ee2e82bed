/** RFC 7252 §5: tokens, matching, options. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { isCritical, isNoCacheKey, isUnsafe, OPTION } from '#core/coap/option-number.ts';
import {
  ACK,
  bytesOf,
  CON,
  NON,
  option,
  RST,
  request,
  response,
  text,
  UdpPeer,
} from '#test/support/coap-peer.ts';
import { seededRandom } from '#test/support/seeded-random.ts';

const send = (peer: UdpPeer, exchange: number, confirmable = true): void =>
  peer.give({ type: 'send', exchange, request: request(METHOD.get, { confirmable }) });

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

test('P-051 piggybacked and separate responses have the same result', () => {
  const results = ['piggybacked', 'separate'].map((way) => {
    const peer = new UdpPeer();
    send(peer, 1);
    const { token, messageId } = peer.hearsOne();
    const said = { token, payload: text('config') };
    if (way === 'piggybacked') peer.says(ACK, RESPONSE.content, messageId, said);
    else {
      peer.saysEmpty(ACK, messageId);
      peer.says(CON, RESPONSE.content, 4, said);
    }
    return peer.one('response');
  });
  expect(results[0]).toEqual(results[1]);
  expect(results[0]?.response.payload).toEqual(text('config'));
});

test('P-054 a NON request gets a NON response with a message id of its own', () => {
  const peer = new UdpPeer();
  peer.says(NON, METHOD.put, 0x4000, { token: bytesOf(5) });
  peer.answer(response(RESPONSE.created));
  const answer = peer.hearsOne();
  expect(answer).toMatchObject({ type: NON, code: RESPONSE.created, token: bytesOf(5) });
  expect(answer.messageId).not.toBe(0x4000);
});

test('P-055 a CON response to a NON request is acknowledged, a NON response to a CON request accepted', () => {
  const peer = new UdpPeer();
  send(peer, 1, false);
  peer.says(CON, RESPONSE.content, 8, { token: peer.hearsOne().token });
  expect(peer.one('response').exchange).toBe(1);
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 8, code: 0 });
  send(peer, 2);
  peer.says(NON, RESPONSE.content, 9, { token: peer.hearsOne().token });
  expect(peer.one('response').exchange).toBe(2);
  expect(peer.hears()).toEqual([]);
});

test('P-056 P-057 tokens come back bit for bit', () => {
  const peer = new UdpPeer();
  const tokens = [bytesOf(), bytesOf(0), bytesOf(255), bytesOf(1, 2, 3, 4), new Uint8Array(8).fill(255)];
  for (const [messageId, token] of tokens.entries()) {
    peer.says(CON, METHOD.get, messageId, { token });
    peer.answer(response(RESPONSE.content));
    expect(peer.hearsOne().token).toEqual(token);
  }
});

test('P-058 a late response is not taken for one to a newer request', () => {
  const peer = new UdpPeer();
  send(peer, 1, false);
  const old = peer.hearsOne().token;
  peer.give({ type: 'forget', exchange: 1 });
  send(peer, 2, false);
  peer.says(NON, RESPONSE.content, 1, { token: old });
  expect(peer.take('response')).toEqual([]);
});

test('P-059 tokens of a session never repeat, count up, and differ from another session’s', () => {
  const tokensOf = (seed: number): string[] => {
    const peer = new UdpPeer({ random: seededRandom(seed) });
    return Array.from({ length: 100 }, (_, exchange) => {
      send(peer, exchange, false);
      return Buffer.from(peer.hearsOne().token).toString('hex');
    });
  };
  const [first, second] = [tokensOf(1), tokensOf(2)];
  expect(new Set([...first, ...second]).size).toBe(200);
  for (const tokens of [first, second])
    expect(tokens.map((token) => parseInt(token.slice(8), 16))).toEqual(tokens.map((_, index) => index));
});

test('P-062 a piggybacked response with a wrong token is rejected', () => {
  const peer = new UdpPeer();
  send(peer, 1);
  const { messageId, token } = peer.hearsOne();
  peer.says(ACK, RESPONSE.content, messageId, { token: bytesOf(1, 2, 3) });
  expect(peer.take('response')).toEqual([]);
  expect(peer.hears()).toEqual([]);
  peer.says(ACK, RESPONSE.content, messageId, { token });
  expect(peer.one('response').exchange).toBe(1);
});

test('P-063 P-117 P-118 P-119 a response nobody waits for meets a reset and is not handed up', () => {
  const peer = new UdpPeer();
  for (const [type, messageId] of [
    [CON, 1],
    [NON, 2],
  ] as const) {
    peer.says(type, RESPONSE.content, messageId, { token: bytesOf(7), options: [option(OPTION.observe, 3)] });
    expect(peer.hearsOne()).toMatchObject({ type: RST, messageId });
  }
  expect(peer.take('response')).toEqual([]);
});

test('P-063 a token of which only the sequence number is ours is not ours', () => {
  const peer = new UdpPeer();
  send(peer, 1, false);
  const token = peer.hearsOne().token.slice();
  token[0] = (token[0] ?? 0) ^ 1;
  peer.says(NON, RESPONSE.content, 3, { token });
  expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: 3 });
  expect(peer.take('response')).toEqual([]);
});

test('P-068 unknown elective options do no harm, and stay for a gateway to forward', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(65_000, 1)] });
  expect(peer.one('request').request.options).toEqual([option(65_000, 1)]);
});

test('P-069 P-070 P-080 an unknown critical option in a CON request gets 4.02 that names it', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(65_001, 1)], token: bytesOf(4) });
  const answer = peer.hearsOne();
  expect(answer).toMatchObject({ type: ACK, code: RESPONSE.badOption, token: bytesOf(4), options: [] });
  expect(decode(answer.payload)).toContain('65001');
  expect(peer.take('request')).toEqual([]);
});

test('P-071 an unknown critical option in a response fails the request, and a CON meets a reset', () => {
  const peer = new UdpPeer();
  send(peer, 1);
  const first = peer.hearsOne();
  peer.says(ACK, RESPONSE.content, first.messageId, { token: first.token, options: [option(65_001, 1)] });
  expect(peer.one('failed')).toMatchObject({ exchange: 1, reason: 'malformed-response' });
  send(peer, 2);
  const second = peer.hearsOne();
  peer.says(CON, RESPONSE.content, 5, { token: second.token, options: [option(65_001, 1)] });
  expect(peer.one('failed').exchange).toBe(2);
  expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: 5 });
  expect(peer.take('response')).toEqual([]);
});

test('P-072 an unknown critical option in a NON request: rejected, not processed', () => {
  const peer = new UdpPeer();
  peer.says(NON, METHOD.put, 6, { options: [option(65_001, 1)] });
  expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: 6 });
  expect(peer.take('request')).toEqual([]);
});

test('P-073 an option of wrong length counts as not understood', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(OPTION.uriPort, 1, 2, 3)] });
  expect(peer.hearsOne().code).toBe(RESPONSE.badOption);
  peer.says(CON, METHOD.get, 2, { options: [option(OPTION.maxAge, 1, 2, 3, 4, 5)] });
  expect(peer.one('request').request.options).toEqual([]);
});

test('P-075 a second copy of an option that comes once counts as not understood', () => {
  const peer = new UdpPeer();
  const formats = [option(OPTION.contentFormat, 1, 15), option(OPTION.contentFormat, 60)];
  peer.says(CON, METHOD.put, 1, { options: formats });
  expect(peer.one('request').request.options).toEqual(formats.slice(0, 1));
  peer.says(CON, METHOD.get, 2, { options: [option(OPTION.accept, 1), option(OPTION.accept, 2)] });
  expect(peer.hearsOne().code).toBe(RESPONSE.badOption);
});

test('P-076 the option number tells critical, unsafe and no-cache-key', () => {
  const classes = [1, 3, 6, 11, 12, 14, 15, 16, 17, 19, 23, 27, 28, 31, 60, 252, 292].map((number) => [
    number,
    (isCritical(number) ? 'C' : '') + (isUnsafe(number) ? 'U' : '') + (isNoCacheKey(number) ? 'N' : ''),
  ]);
  expect(Object.fromEntries(classes)).toEqual({
    1: 'C',
    3: 'CU',
    6: 'U',
    11: 'CU',
    12: '',
    14: 'U',
    15: 'CU',
    16: '',
    17: 'C',
    19: 'CU',
    23: 'CU',
    27: 'CU',
    28: 'N',
    31: 'CU',
    60: 'N',
    252: 'N',
    292: '',
  });
});

test('P-077 a payload on GET is ignored', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { payload: text('of no meaning') });
  expect(peer.one('request').request.payload).toEqual(bytesOf());
});

test('P-084 Proxy-Uri and Proxy-Scheme get 5.05', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, {
    options: [{ number: OPTION.proxyUri, value: text('coap://192.0.2.1/x') }],
  });
  expect(peer.hearsOne().code).toBe(RESPONSE.proxyingNotSupported);
  peer.says(CON, METHOD.get, 2, {
    options: [
      { number: OPTION.uriHost, value: text('192.0.2.1') },
      { number: OPTION.proxyScheme, value: text('coap') },
    ],
  });
  expect(peer.hearsOne().code).toBe(RESPONSE.proxyingNotSupported);
  expect(peer.take('request')).toEqual([]);
});

test('both ends take requests on one session while their own are open', () => {
  const peer = new UdpPeer();
  send(peer, 1);
  const { token } = peer.hearsOne();
  peer.says(NON, METHOD.put, 1, { token });
  peer.answer(response(RESPONSE.changed));
  expect(peer.hearsOne()).toMatchObject({ type: NON, code: RESPONSE.changed, token });
  peer.says(NON, RESPONSE.content, 2, { token });
  expect(peer.one('response').exchange).toBe(1);
});

test('P-190 P-191 without Q-Block support a CON with either option gets 4.02, a NON a reset', () => {
  const peer = new UdpPeer();
  for (const [messageId, number] of [OPTION.qBlock1, OPTION.qBlock2].entries()) {
    const code = number === OPTION.qBlock1 ? METHOD.put : METHOD.get;
    peer.says(CON, code, messageId, { options: [option(number, 2)] });
    expect(peer.hearsOne()).toMatchObject({ type: ACK, code: RESPONSE.badOption });
    peer.says(NON, code, messageId + 10, { options: [option(number, 2)] });
    expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: messageId + 10 });
  }
  expect(peer.take('request')).toEqual([]);
});

test('P-196 two Q-Block1 options are refused like any critical option that is not understood', () => {
  const peer = new UdpPeer();
  const options = [option(OPTION.qBlock1, 2), option(OPTION.qBlock1, 0x12)];
  peer.says(CON, METHOD.put, 1, { options, payload: text('x') });
  expect(peer.hearsOne()).toMatchObject({ type: ACK, code: RESPONSE.badOption });
  expect(peer.take('request')).toEqual([]);
});

test('P-195 Q-Block1 beside Block1 is refused', () => {
  const peer = new UdpPeer();
  const mixed = { options: [option(OPTION.qBlock1, 2), option(OPTION.block1, 2)], payload: text('x') };
  peer.says(CON, METHOD.put, 1, mixed);
  expect(peer.hearsOne().code).toBe(RESPONSE.badOption);
  peer.says(NON, METHOD.put, 2, mixed);
  expect(peer.hearsOne().type).toBe(RST);
  expect(peer.take('request')).toEqual([]);
});

test('P-277 P-278 S-114 a Hop-Limit outside 1 to 255 gets 4.00', () => {
  const peer = new UdpPeer();
  const values = [[0], [], [1, 0], [1], [255]];
  for (const [messageId, value] of values.entries())
    peer.says(CON, METHOD.get, messageId, { options: [option(OPTION.hopLimit, ...value)] });
  expect(peer.hears().map(({ code }) => code)).toEqual([0x80, 0x80, 0x80]);
  expect(peer.take('request')).toHaveLength(2);
});

test('P-279 of two Hop-Limits the second is dropped', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(OPTION.hopLimit, 5), option(OPTION.hopLimit, 9)] });
  expect(peer.one('request').request.options).toEqual([option(OPTION.hopLimit, 5)]);
});

test('P-312 response options in a request are no obstacle', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(OPTION.locationPath, 1), option(OPTION.maxAge, 1)] });
  expect(peer.take('request')).toHaveLength(1);
});

test('P-312 a critical option not defined for the method counts as not understood', () => {
  const peer = new UdpPeer();
  for (const [messageId, code] of [METHOD.get, METHOD.delete].entries()) {
    peer.says(CON, code, messageId, { options: [option(OPTION.block1, 2)] });
    expect(peer.hearsOne().code).toBe(RESPONSE.badOption);
  }
});

test('a request that is ignored gets its empty ACK, and nothing when it was Non-confirmable', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.put, 1);
  peer.give({ type: 'ignore', exchange: peer.one('request').exchange });
  expect(peer.hearsOne()).toMatchObject({ type: ACK, code: 0, messageId: 1 });
  peer.says(NON, METHOD.put, 2);
  peer.give({ type: 'ignore', exchange: peer.one('request').exchange });
  expect(peer.hears()).toEqual([]);
});

test('a flood of requests that are not answered yet gets 5.03 beyond the open ones', () => {
  const peer = new UdpPeer();
  for (let messageId = 0; messageId < 300; messageId++) peer.says(NON, METHOD.get, messageId);
  expect(peer.take('request')).toHaveLength(256);
  const busy = peer.hears();
  expect(busy).toHaveLength(44);
  for (const { code, options } of busy) {
    expect(code).toBe(RESPONSE.serviceUnavailable);
    expect(options).toEqual([option(OPTION.maxAge, 2)]);
  }
});
