/** RFC 8323: CoAP over TCP, message by message. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Message } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { uintOption } from '#core/coap/options.ts';
import { encodeTcp, TcpDecoder } from '#core/coap/tcp-message.ts';
import { body, bytesOf, option, request, response, TcpPeer, text } from '#test/support/coap-peer.ts';
import { fromHex } from '#test/support/hex.ts';

const CSM = 0xe1;
const PING = 0xe2;
const PONG = 0xe3;
const RELEASE = 0xe4;
const ABORT = 0xe5;
const CUSTODY = option(2);

const frame = (code: number, changes: Partial<Message> = {}): Message => ({
  code,
  token: bytesOf(),
  options: [],
  payload: bytesOf(),
  ...changes,
});

/** An Abort with a readable diagnostic, and then the close. */
function expectAbort(peer: TcpPeer): Message {
  const abort = peer.hears().at(-1);
  expect(abort?.code).toBe(ABORT);
  expect(new TextDecoder('utf-8', { fatal: true }).decode(abort?.payload)).toMatch(/\w+ \w+/);
  expect(peer.take('close')).toHaveLength(1);
  return abort as Message;
}

test('P-240 a frame is Len, TKL, code, token, and nothing of UDP', () => {
  const bytes = encodeTcp(frame(RESPONSE.valid, { token: bytesOf(0x7f) }));
  expect(bytes).toEqual(fromHex('01 43 7f'));
  const messages: Message[] = [];
  expect(new TcpDecoder(100).push(bytes, (message) => messages.push(message) > 0).ok).toBe(true);
  expect(messages).toEqual([frame(RESPONSE.valid, { token: bytesOf(0x7f) })]);
});

test('P-241 Len in its four forms', () => {
  const heads: [number, string][] = [
    [0, '01'],
    [12, 'c1'],
    [13, 'd1 00'],
    [268, 'd1 ff'],
    [269, 'e1 00 00'],
    [65_804, 'e1 ff ff'],
    [65_805, 'f1 00 00 00 00'],
    [70_000, 'f1 00 00 10 63'],
  ];
  for (const [length, head] of heads) {
    // The marker is one of the bytes that Len counts.
    const message = frame(METHOD.put, { token: bytesOf(9), payload: body(Math.max(length - 1, 0)) });
    const bytes = encodeTcp(message);
    expect(bytes.subarray(0, fromHex(head).length)).toEqual(fromHex(head));
    const messages: Message[] = [];
    new TcpDecoder(80_000).push(bytes, (decoded) => messages.push(decoded) > 0);
    expect(messages).toEqual([message]);
  }
});

test('P-242 messages byte by byte, or three at once, are the same messages', () => {
  const said = [METHOD.get, METHOD.put, METHOD.delete].map((code) =>
    encodeTcp(frame(code, { token: bytesOf(code), options: [option(OPTION.uriPath, 0x78)] })),
  );
  const stream = Uint8Array.from(Buffer.concat(said));
  const [slow, fast] = [new TcpPeer().introduced(), new TcpPeer().introduced()];
  for (const byte of stream) slow.receives(bytesOf(byte));
  fast.receives(stream);
  const [ofSlow, ofFast] = [slow.take('request'), fast.take('request')];
  expect(ofSlow).toEqual(ofFast);
  expect(ofSlow.map(({ request: { code } }) => code)).toEqual([1, 3, 4]);
  // The shortest message of all is complete with its second byte.
  slow.receives(bytesOf(0));
  slow.receives(bytesOf(PING));
  expect(slow.hearsOne().code).toBe(PONG);
});

test('P-243 P-244 P-251 P-255 the first message is a CSM, unasked, with the size taken and block-wise transfer', () => {
  const peer = new TcpPeer();
  const csm = peer.hearsOne();
  expect(csm.code).toBe(CSM);
  expect(uintOption(csm.options, 2)).toBeGreaterThanOrEqual(1152);
  expect(csm.options).toContainEqual(option(4));
});

test('P-245 a request goes right after the CSM, without waiting for the other one', () => {
  const peer = new TcpPeer();
  peer.give({ type: 'send', exchange: 1, request: request(METHOD.get) });
  const [csm, get] = peer.hears();
  expect([csm?.code, get?.code]).toEqual([CSM, METHOD.get]);
  peer.says(CSM);
  peer.says(RESPONSE.content, { token: get?.token ?? bytesOf() });
  expect(peer.one('response').exchange).toBe(1);
});

test('P-246 P-265 anything but a CSM first is aborted, and not processed', () => {
  for (const code of [METHOD.get, RESPONSE.content, PING, 0]) {
    const peer = new TcpPeer();
    peer.says(code);
    expectAbort(peer);
    expect([...peer.take('request'), ...peer.take('response')]).toEqual([]);
  }
});

test('P-299 a peer that never says its CSM is aborted after 10 s', () => {
  const peer = new TcpPeer();
  peer.runTo(9999);
  expect(peer.take('close')).toEqual([]);
  peer.runTo(10_000);
  expectAbort(peer);
  expect(peer.endpoint.deadline).toBeUndefined();
  const quick = new TcpPeer().introduced();
  quick.runTo(100_000);
  expect(quick.take('close')).toEqual([]);
});

test('P-247 responses in any order, matched by token', () => {
  const peer = new TcpPeer().introduced();
  peer.says(METHOD.get, { token: bytesOf(1) });
  peer.says(METHOD.get, { token: bytesOf(2) });
  const [slow, fast] = peer.take('request');
  for (const exchange of [fast?.exchange ?? -1, slow?.exchange ?? -1])
    peer.give({ type: 'respond', exchange, response: response(RESPONSE.content) });
  expect(peer.hears().map(({ token }) => token)).toEqual([bytesOf(2), bytesOf(1)]);
});

test('P-249 empty messages are ignored', () => {
  const peer = new TcpPeer().introduced();
  peer.receives(fromHex('00 00'));
  expect([...peer.hears(), ...peer.take('close')]).toEqual([]);
  peer.says(PING);
  expect(peer.hearsOne().code).toBe(PONG);
});

test('P-252 P-267 an unknown critical option of a signaling message aborts, and names itself in a CSM', () => {
  const csm = new TcpPeer();
  csm.hears();
  csm.says(CSM, { options: [option(1, 7)] });
  expect(uintOption(expectAbort(csm).options, 2)).toBe(1);
  const ping = new TcpPeer().introduced();
  ping.says(PING, { options: [option(3)] });
  expect(expectAbort(ping).options).toEqual([]);
  const elective = new TcpPeer();
  elective.says(CSM, { options: [option(10, 1)] });
  expect(elective.take('close')).toEqual([]);
});

test('P-253 P-254 the peer’s size is 1152 until it says otherwise, and a later CSM counts', () => {
  const peer = new TcpPeer().introduced();
  const largest = (): number => {
    peer.says(METHOD.get, { token: bytesOf(1) });
    peer.answer(response(RESPONSE.content, { payload: body(5000) }));
    const [{ bytes } = { bytes: bytesOf() }] = peer.take('transmit');
    return bytes.length;
  };
  expect(largest()).toBeLessThanOrEqual(1152);
  peer.says(CSM, { options: [option(2, 600 >> 8, 600 & 255)] });
  expect(largest()).toBeLessThanOrEqual(600);
  peer.says(CSM);
  expect(largest()).toBeLessThanOrEqual(600);
  peer.says(CSM, { options: [option(2, 6000 >> 8, 6000 & 255)] });
  expect(largest()).toBeGreaterThan(5000);
});

test('P-254 a large request to a peer of 600 bytes goes in blocks', () => {
  const peer = new TcpPeer();
  peer.hears();
  peer.says(CSM, { options: [option(2, 600 >> 8, 600 & 255)] });
  const put = request(METHOD.put, { payload: body(2000) });
  peer.give({ type: 'send', exchange: 1, request: put });
  const [{ bytes } = { bytes: bytesOf() }] = peer.take('transmit');
  expect(bytes.length).toBeLessThanOrEqual(600);
  expect(bytes.length).toBeGreaterThan(512);
});

test('P-257 P-258 a ping gets its pong at once, with its token, while a request is open', () => {
  const peer = new TcpPeer().introduced();
  peer.says(METHOD.get, { token: bytesOf(1) });
  peer.receives(fromHex('01 e2 42'));
  const [{ bytes } = { bytes: bytesOf() }] = peer.take('transmit');
  expect(bytes).toEqual(fromHex('01 e3 42'));
});

test('P-259 a ping with Custody gets its pong after the earlier request', () => {
  const peer = new TcpPeer().introduced();
  peer.says(METHOD.get, { token: bytesOf(1) });
  peer.says(PING, { token: bytesOf(0x42), options: [CUSTODY] });
  peer.says(METHOD.get, { token: bytesOf(2) });
  expect(peer.hears()).toEqual([]);
  const [first] = peer.take('request');
  peer.give({ type: 'respond', exchange: first?.exchange ?? -1, response: response(RESPONSE.content) });
  expect(peer.hears()).toEqual([
    frame(RESPONSE.content, { token: bytesOf(1) }),
    frame(PONG, { token: bytesOf(0x42), options: [CUSTODY] }),
  ]);
});

test('P-260 P-261 after a Release what came before is answered, then the connection closes', () => {
  const peer = new TcpPeer().introduced();
  peer.says(METHOD.get, { token: bytesOf(1) });
  peer.says(RELEASE);
  expect(peer.take('close')).toEqual([]);
  peer.answer(response(RESPONSE.content));
  expect(peer.hearsOne().token).toEqual(bytesOf(1));
  expect(peer.take('close')).toHaveLength(1);
  const idle = new TcpPeer().introduced();
  idle.says(RELEASE);
  expect(idle.take('close')).toHaveLength(1);
});

test('P-262 no request follows our Release, nor one of the peer', () => {
  const ours = new TcpPeer().introduced();
  ours.give({ type: 'release' });
  ours.give({ type: 'send', exchange: 1, request: request(METHOD.get) });
  expect(ours.hears().map(({ code }) => code)).toEqual([RELEASE]);
  expect(ours.one('failed')).toMatchObject({ exchange: 1, reason: 'closed' });
  const theirs = new TcpPeer().introduced();
  theirs.says(METHOD.get);
  theirs.says(RELEASE);
  theirs.give({ type: 'send', exchange: 1, request: request(METHOD.get) });
  expect(theirs.hears()).toEqual([]);
  expect(theirs.one('failed').reason).toBe('closed');
});

test('P-264 after an Abort nothing is processed any more', () => {
  const peer = new TcpPeer().introduced();
  const abort = encodeTcp(frame(ABORT, { payload: text('enough') }));
  const get = encodeTcp(frame(METHOD.get));
  peer.receives(Uint8Array.from(Buffer.concat([abort, get])));
  expect(peer.take('close')).toHaveLength(1);
  expect([...peer.take('request'), ...peer.hears()]).toEqual([]);
});

test('P-266 a format error aborts', () => {
  for (const hex of [
    '0f 01',
    '10 01 f0',
    '10 01 1f',
    '10 01 b2',
    '10 01 ff',
    '09 01 01 02 03 04 05 06 07 08 09',
  ]) {
    const peer = new TcpPeer().introduced();
    peer.receives(fromHex(hex));
    expectAbort(peer);
    expect(peer.take('request')).toEqual([]);
  }
});

test('reserved classes and unknown signaling codes abort', () => {
  for (const code of [0x20, 0x60, 0xc0, 0xe6, 0xe0]) {
    const peer = new TcpPeer().introduced();
    peer.says(code);
    expectAbort(peer);
  }
});

test('P-298 a frame larger than announced is refused by its length alone', () => {
  const decoder = new TcpDecoder(1152);
  const announced = fromHex('f0 00 a0 00 00 03');
  expect(decoder.push(announced, () => true)).toEqual({ ok: false, error: 'message-too-large' });
  const peer = new TcpPeer().introduced();
  peer.receives(announced);
  expectAbort(peer);
});

test('P-069 over TCP too an unknown critical option in a request gets 4.02', () => {
  const peer = new TcpPeer().introduced();
  peer.says(METHOD.get, { token: bytesOf(3), options: [option(65_001)] });
  expect(peer.hearsOne()).toMatchObject({ code: RESPONSE.badOption, token: bytesOf(3) });
});
