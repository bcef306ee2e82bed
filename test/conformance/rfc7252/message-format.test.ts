/** RFC 7252 §3: what a message looks like, and what meets one that does not. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, uintOption } from '#core/coap/options.ts';
import { decodeUdp, encodeUdp } from '#core/coap/udp-message.ts';
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
import { fromHex } from '#test/support/hex.ts';

const RESET_OF_1234 = fromHex('70 00 12 34');
const PATH_X = option(OPTION.uriPath, 0x78);

/** What comes back for a datagram, and whether anything was handed up. */
function reaction(hex: string): { answers: Uint8Array[]; requests: number } {
  const peer = new UdpPeer();
  peer.receives(fromHex(hex));
  return { answers: peer.datagrams(), requests: peer.take('request').length };
}

const isReset = { answers: [RESET_OF_1234], requests: 0 };
const isSilence = { answers: [], requests: 0 };

test('P-001 every datagram has version 1: request, answer, acknowledgement, reset', () => {
  const peer = new UdpPeer();
  peer.give({ type: 'send', exchange: 1, request: request(METHOD.get) });
  peer.give({ type: 'send', exchange: 2, request: request(METHOD.get, { confirmable: false }) });
  peer.says(CON, METHOD.get, 1);
  peer.answer(response(RESPONSE.content));
  peer.saysEmpty(CON, 2);
  peer.says(CON, METHOD.get, 3);
  peer.runTo(600);
  const datagrams = peer.datagrams();
  expect(datagrams).toHaveLength(5);
  for (const datagram of datagrams) expect((datagram[0] ?? 0) >> 6).toBe(1);
});

test.each(['00', '80', 'c0'])(
  'P-002 a message whose first byte is %s, of another version, meets silence',
  (first) => {
    expect(reaction(`${first} 01 12 34`)).toEqual(isSilence);
  },
);

test('P-003 a CON is answered in an ACK, a NON by a NON, and an empty CON by a reset', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 10);
  peer.answer(response(RESPONSE.content));
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 10, code: RESPONSE.content });
  peer.says(NON, METHOD.get, 11);
  peer.answer(response(RESPONSE.content));
  expect(peer.hearsOne()).toMatchObject({ type: NON, code: RESPONSE.content });
  peer.saysEmpty(CON, 12);
  expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: 12, code: 0 });
});

test('P-004 a token length of 9 to 15 is a format error, in CON and in NON', () => {
  for (let length = 9; length <= 15; length++) {
    const token = '00 '.repeat(length);
    expect(reaction(`${(0x40 | length).toString(16)} 01 12 34 ${token}`)).toEqual(isReset);
    expect(reaction(`${(0x50 | length).toString(16)} 01 12 34 ${token}`)).toEqual(isSilence);
  }
});

test('P-005 a payload marker without payload is a format error', () => {
  expect(reaction('40 03 12 34 b1 78 ff')).toEqual(isReset);
});

test('P-006 option deltas and lengths take zero, one or two extension bytes', () => {
  const numbers = [252, 292, 60, 65_001];
  for (const length of [0, 12, 13, 268, 269, 300]) {
    const options = numbers.map((number) => ({ number, value: new Uint8Array(length).fill(7) }));
    const message = { code: METHOD.get, token: bytesOf(1), options, payload: bytesOf(9) };
    const decoded = decodeUdp(encodeUdp(CON, 1, message));
    expect(decoded.ok && decoded.value.options.map(({ number }) => number)).toEqual([60, 252, 292, 65_001]);
    expect(decoded.ok && decoded.value.options.every(({ value }) => value.length === length)).toBe(true);
  }
  // Delta 13 + 0x2f = 60; delta 14 with 0x0017 = 269 + 23 = 292.
  const extended = decodeUdp(fromHex('40 01 00 01 d1 2f aa'));
  expect(extended.ok && extended.value.options).toEqual([option(60, 0xaa)]);
  const twice = decodeUdp(fromHex('40 01 00 01 e1 00 17 bb'));
  expect(twice.ok && twice.value.options).toEqual([option(292, 0xbb)]);
});

test('P-007 an option delta of 15 is a format error', () => {
  expect(reaction('40 01 12 34 f1 00')).toEqual(isReset);
});

test('P-008 an option length of 15 is a format error', () => {
  expect(reaction('40 01 12 34 1f 00')).toEqual(isReset);
});

test('P-009 an option that runs past the datagram is a format error', () => {
  expect(reaction('40 01 12 34 b5 78 79')).toEqual(isReset);
  expect(reaction('40 01 12 34 bd')).toEqual(isReset);
  expect(reaction('40 01 12 34 be 00')).toEqual(isReset);
});

test('P-010 the byte 0xff inside an option is no payload marker', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(OPTION.etag, 0xff, 1)] });
  expect(peer.one('request').request.options).toEqual([option(OPTION.etag, 0xff, 1)]);
  peer.says(CON, METHOD.put, 2, { options: [option(OPTION.requestTag, 0xff)], payload: text('x') });
  expect(peer.one('request').request.payload).toEqual(text('x'));
});

test('P-011 uint options are as short as can be, and zero is empty', () => {
  expect(makeUintOption(OPTION.observe, 0).value).toEqual(bytesOf());
  expect(makeUintOption(OPTION.contentFormat, 271).value).toEqual(bytesOf(0x01, 0x0f));
});

test('P-012 leading zeros in uint options are accepted', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1, { options: [option(OPTION.observe, 0, 0, 0)] });
  expect(peer.one('request').observe).toBe('register');
  peer.says(CON, METHOD.get, 2, { options: [option(OPTION.block2, 0, 0, 0x02)] });
  peer.answer(response(RESPONSE.content, { payload: new Uint8Array(100) }));
  expect(uintOption(peer.hears()[0]?.options ?? [], OPTION.block2)).toBe(0x0a);
});

test('P-013 an empty message with a token or anything else is a format error', () => {
  expect(reaction('41 00 12 34 aa')).toEqual(isReset);
  expect(reaction('40 00 12 34 aa')).toEqual(isReset);
});

test('P-016 reserved code classes are rejected', () => {
  for (const code of ['20', 'c0', 'e1', '60']) {
    expect(reaction(`40 ${code} 12 34`)).toEqual(isReset);
    expect(reaction(`50 ${code} 12 34`)).toEqual(isSilence);
  }
});

test('P-018 acknowledgements and resets that fit nothing meet silence', () => {
  for (const first of ['60 00', '70 00', '70 45', '60 01', '60 45'])
    expect(reaction(`${first} 12 34`)).toEqual(isSilence);
});

test('P-026 P-027 a NON is never acknowledged, and one that is malformed or empty changes nothing', () => {
  expect(reaction('50 00 12 34')).toEqual(isSilence);
  expect(reaction('50 03 12 34 b1 78 ff')).toEqual(isSilence);
  const peer = new UdpPeer();
  peer.says(NON, METHOD.get, 1, { options: [PATH_X] });
  peer.runTo(300_000);
  expect(peer.hears()).toEqual([]);
});

test('P-109 code bytes are class times 32 plus detail', () => {
  expect(RESPONSE.continue).toBe(0x5f);
  expect(RESPONSE.requestEntityIncomplete).toBe(0x88);
  expect(RESPONSE.requestEntityTooLarge).toBe(0x8d);
  expect(RESPONSE.hopLimitReached).toBe(0xa8);
  const peer = new UdpPeer();
  for (const [index, code] of [RESPONSE.conflict, RESPONSE.unprocessableEntity].entries()) {
    peer.says(CON, METHOD.put, index);
    peer.answer(response(code));
  }
  expect(peer.datagrams().map((datagram) => datagram[1])).toEqual([0x89, 0x96]);
});
