/** RFC 7252 §4: acknowledgement, retransmission, deduplication, congestion control. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { COAP_DEFAULTS, deriveTimes } from '#core/coap/transmission.ts';
import {
  ACK,
  bytesOf,
  CON,
  DOTS_PARAMETERS,
  NON,
  option,
  RST,
  request,
  response,
  text,
  UdpPeer,
} from '#test/support/coap-peer.ts';
import { seededRandom } from '#test/support/seeded-random.ts';

/** When each datagram leaves, up to `until`. */
function departures(peer: UdpPeer, until: number): { at: number; bytes: Uint8Array }[] {
  const left = peer.datagrams().map((bytes) => ({ at: peer.now, bytes }));
  for (let deadline = peer.endpoint.deadline; deadline !== undefined && deadline <= until; ) {
    peer.runTo(deadline);
    for (const bytes of peer.datagrams()) left.push({ at: peer.now, bytes });
    deadline = peer.endpoint.deadline;
  }
  return left;
}

const send = (peer: UdpPeer, exchange: number, confirmable = true): void =>
  peer.give({ type: 'send', exchange, request: request(METHOD.get, { confirmable }) });

test('P-014 P-017 every CON is answered by ACK or RST of its message id within the peer’s ACK_TIMEOUT', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 0x7d34);
  peer.runTo(DOTS_PARAMETERS.ackTimeoutMs);
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 0x7d34, code: 0 });
  peer.says(CON, METHOD.get, 0x7d35);
  peer.take('request');
  peer.says(CON, METHOD.get, 0x7d36);
  peer.answer(response(RESPONSE.content));
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 0x7d36, code: RESPONSE.content });
  peer.saysEmpty(CON, 0x7d37);
  const [reset] = peer.datagrams();
  expect(reset).toEqual(bytesOf(0x70, 0, 0x7d, 0x37));
});

test('P-015 a ping meets a reset', () => {
  const peer = new UdpPeer();
  peer.saysEmpty(CON, 0x1234);
  expect(peer.datagrams()).toEqual([bytesOf(0x70, 0x00, 0x12, 0x34)]);
});

test('P-019 P-021 P-022 four transmissions, the gaps doubling from 2 to 3 s, all alike and within the span', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const peer = new UdpPeer({ random: seededRandom(seed) });
    send(peer, 1);
    const left = departures(peer, 600_000);
    expect(left).toHaveLength(4);
    const gaps = left.slice(1).map(({ at }, index) => at - (left[index]?.at ?? 0));
    const [first = 0] = gaps;
    expect(first).toBeGreaterThanOrEqual(2000);
    expect(first).toBeLessThanOrEqual(3000);
    expect(gaps[1]).toBeCloseTo(2 * first, 3);
    expect(gaps[2]).toBeCloseTo(4 * first, 3);
    expect(left.at(-1)?.at).toBeLessThanOrEqual(21_000);
    for (const { bytes } of left) expect(bytes).toEqual(left[0]?.bytes);
    expect(peer.one('failed')).toMatchObject({ exchange: 1, reason: 'timeout' });
    expect(peer.now).toBeLessThanOrEqual(45_000);
  }
});

test('P-046 with the defaults of general CoAP there are five transmissions', () => {
  const peer = new UdpPeer({ parameters: COAP_DEFAULTS });
  send(peer, 1);
  const left = departures(peer, 600_000);
  expect(left).toHaveLength(5);
  expect(left[1]?.at).toBeGreaterThanOrEqual(2000);
  expect(left[1]?.at).toBeLessThanOrEqual(3000);
});

test('P-020 a reset ends a Confirmable request at once', () => {
  const peer = new UdpPeer();
  send(peer, 1);
  peer.saysEmpty(RST, peer.hearsOne().messageId);
  expect(peer.one('failed')).toMatchObject({ exchange: 1, reason: 'reset' });
  expect(departures(peer, 600_000)).toEqual([]);
});

test('P-023 a separate response before the acknowledgement stops the retransmission', () => {
  const peer = new UdpPeer();
  send(peer, 1);
  const { token } = peer.hearsOne();
  peer.says(CON, RESPONSE.content, 77, { token });
  expect(peer.one('response').exchange).toBe(1);
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 77, code: 0 });
  expect(departures(peer, 600_000)).toEqual([]);
});

test('P-024 P-052 after an empty ACK the response is separate, and a repeated request meets an empty ACK again', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 5, { token: bytesOf(1) });
  peer.runTo(500);
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 5, code: 0 });
  peer.says(CON, METHOD.get, 5, { token: bytesOf(1) });
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 5, code: 0 });
  peer.answer(response(RESPONSE.content));
  const separate = peer.hearsOne();
  expect(separate).toMatchObject({ type: CON, code: RESPONSE.content, token: bytesOf(1) });
  peer.saysEmpty(ACK, separate.messageId);
  peer.says(CON, METHOD.get, 5, { token: bytesOf(1) });
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 5, code: 0 });
  expect(peer.take('request')).toEqual([]);
});

test.each([
  ['ACK', ACK],
  ['RST', RST],
])('P-053 a separate response is sent until its %s, which is empty on our side too', (_name, type) => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 5);
  peer.runTo(500);
  peer.hears();
  peer.answer(response(RESPONSE.content));
  const { messageId } = peer.hearsOne();
  peer.runTo(peer.now + 3001);
  expect(peer.hearsOne().messageId).toBe(messageId);
  peer.saysEmpty(type, messageId);
  peer.runTo(600_000);
  expect(peer.hears()).toEqual([]);
  // The other way round.
  send(peer, 1);
  const { token, messageId: requestId } = peer.hearsOne();
  peer.saysEmpty(ACK, requestId);
  peer.says(CON, RESPONSE.content, 99, { token });
  expect(peer.datagrams()).toEqual([bytesOf(0x60, 0, 0, 99)]);
});

test('P-028 no message id comes back within EXCHANGE_LIFETIME: the sender stops first', () => {
  const peer = new UdpPeer();
  const seen = new Map<number, number>();
  let refused = 0;
  for (let count = 0; count < 70_000; count++) {
    peer.now += 1;
    peer.says(NON, METHOD.get, count % 65_536);
    const [asked] = peer.take('request');
    if (asked === undefined) continue;
    peer.give({ type: 'respond', exchange: asked.exchange, response: response(RESPONSE.changed) });
    const [answer] = peer.hears();
    if (answer === undefined) {
      refused++;
      continue;
    }
    const before = seen.get(answer.messageId);
    if (before !== undefined) expect(peer.now - before).toBeGreaterThan(223_000);
    seen.set(answer.messageId, peer.now);
  }
  expect(refused).toBeGreaterThan(0);
  expect(seen.size).toBeGreaterThan(60_000);
});

test('P-029 the first message id is random', () => {
  const first = new Set<number>();
  for (let seed = 1; seed <= 10; seed++) {
    const peer = new UdpPeer({ random: seededRandom(seed) });
    send(peer, 1);
    first.add(peer.hearsOne().messageId);
  }
  expect(first.size).toBeGreaterThanOrEqual(9);
  const sorted = [...first].sort((left, right) => left - right);
  expect(sorted.slice(1).some((id, index) => id === (sorted[index] ?? 0) + 1)).toBe(false);
});

test('P-030 P-064 acknowledgements and responses count on the session of the request only', () => {
  const [asking, other] = [new UdpPeer(), new UdpPeer()];
  for (const confirmable of [true, false]) {
    send(asking, confirmable ? 1 : 2, confirmable);
    const { token, messageId } = asking.hearsOne();
    other.saysEmpty(ACK, messageId);
    other.says(ACK, RESPONSE.content, messageId, { token });
    other.says(NON, RESPONSE.content, messageId, { token });
    other.saysEmpty(RST, messageId);
    expect([...other.take('response'), ...other.take('failed'), ...asking.take('response')]).toEqual([]);
  }
  asking.runTo(3000);
  expect(asking.hearsOne().type).toBe(CON);
});

test('A-237 P-031 a duplicate CON gets the same answer and is processed once', () => {
  const peer = new UdpPeer();
  const put = { token: bytesOf(9), options: [option(OPTION.uriPath, 0x78)], payload: text('a') };
  peer.says(CON, METHOD.put, 1, put);
  peer.answer(response(RESPONSE.changed, { payload: text('done') }));
  const [answer] = peer.datagrams();
  peer.says(CON, METHOD.put, 1, put);
  expect(peer.datagrams()).toEqual([answer]);
  expect(peer.take('request')).toEqual([]);
  expect(peer.traces()).toEqual(['duplicate']);
});

test('P-032 a duplicate NON is ignored', () => {
  const peer = new UdpPeer();
  peer.says(NON, METHOD.put, 1, { payload: text('a') });
  peer.answer(response(RESPONSE.changed));
  expect(peer.hears()).toHaveLength(1);
  peer.says(NON, METHOD.put, 1, { payload: text('a') });
  expect(peer.hears()).toEqual([]);
  expect(peer.take('request')).toEqual([]);
});

test('P-034 duplicates are told by message id and session, not by token', () => {
  const [left, right] = [new UdpPeer(), new UdpPeer()];
  for (const peer of [left, right]) {
    peer.says(NON, METHOD.get, 1, { token: bytesOf(1) });
    peer.says(NON, METHOD.get, 2, { token: bytesOf(1) });
    expect(peer.take('request')).toHaveLength(2);
  }
});

test('P-035 a message id is usable again after EXCHANGE_LIFETIME, for a NON after NON_LIFETIME', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 1);
  peer.says(NON, METHOD.get, 2);
  peer.take('request');
  peer.runTo(120_999);
  peer.says(NON, METHOD.get, 2);
  expect(peer.take('request')).toEqual([]);
  peer.runTo(121_000);
  peer.says(NON, METHOD.get, 2);
  expect(peer.take('request')).toHaveLength(1);
  peer.runTo(222_999);
  peer.says(CON, METHOD.get, 1);
  expect(peer.take('request')).toEqual([]);
  peer.runTo(223_000);
  peer.says(CON, METHOD.get, 1);
  expect(peer.take('request')).toHaveLength(1);
});

test('an answer that comes after its message id was used again is separate all the same', () => {
  const peer = new UdpPeer();
  peer.says(CON, METHOD.get, 5, { token: bytesOf(1) });
  const { exchange } = peer.one('request');
  peer.runTo(223_000);
  peer.hears();
  peer.says(CON, METHOD.get, 5, { token: bytesOf(2) });
  peer.give({ type: 'respond', exchange, response: response(RESPONSE.content) });
  expect(peer.hearsOne()).toMatchObject({ type: CON, token: bytesOf(1) });
  peer.answer(response(RESPONSE.content));
  expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 5, token: bytesOf(2) });
});

test('P-039 of five Confirmable requests to a silent server one at a time is on the wire', () => {
  const peer = new UdpPeer();
  for (let exchange = 1; exchange <= 5; exchange++) send(peer, exchange);
  const first = peer.hearsOne();
  peer.runTo(20_000);
  for (const { messageId } of peer.hears()) expect(messageId).toBe(first.messageId);
  peer.saysEmpty(ACK, first.messageId);
  const second = peer.hearsOne();
  expect(second.messageId).not.toBe(first.messageId);
});

test('P-041 S-042 probing-rate never holds back a Non-confirmable request', () => {
  const peer = new UdpPeer({ parameters: { ...DOTS_PARAMETERS, probingRate: 1 } });
  send(peer, 1);
  departures(peer, 60_000);
  expect(peer.one('failed').reason).toBe('timeout');
  for (let exchange = 2; exchange < 12; exchange++) {
    send(peer, exchange, false);
    expect(peer.hears()).toHaveLength(1);
  }
});

test('P-042 to a silent peer Confirmable requests keep within PROBING_RATE', () => {
  const peer = new UdpPeer({ parameters: { ...DOTS_PARAMETERS, probingRate: 2 } });
  const payload = new Uint8Array(200);
  let bytes = 0;
  let largest = 0;
  let exchange = 0;
  for (let second = 0; second <= 3600; second++) {
    peer.runTo(second * 1000);
    if (second % 10 === 0)
      peer.give({ type: 'send', exchange: ++exchange, request: request(METHOD.put, { payload }) });
    for (const datagram of peer.datagrams()) {
      bytes += datagram.length;
      largest = Math.max(largest, datagram.length);
    }
  }
  // The first exchange, four transmissions, tells that the peer is silent.
  expect(bytes).toBeLessThanOrEqual(2 * 3600 + 4 * largest);
  expect(bytes).toBeGreaterThan(3600);
});

test('a peer that is heard again is sent to at once', () => {
  const peer = new UdpPeer({ parameters: { ...DOTS_PARAMETERS, probingRate: 1 } });
  send(peer, 1);
  departures(peer, 46_000);
  send(peer, 2);
  expect(peer.hears()).toEqual([]);
  peer.says(NON, METHOD.get, 1);
  expect(peer.hearsOne().type).toBe(CON);
});

test('P-049 derived times, with the defaults of CoAP and of DOTS', () => {
  expect(deriveTimes(COAP_DEFAULTS)).toEqual({
    maxTransmitSpanMs: 45_000,
    maxTransmitWaitMs: 93_000,
    exchangeLifetimeMs: 247_000,
    nonLifetimeMs: 145_000,
  });
  expect(deriveTimes(DOTS_PARAMETERS)).toEqual({
    maxTransmitSpanMs: 21_000,
    maxTransmitWaitMs: 45_000,
    exchangeLifetimeMs: 223_000,
    nonLifetimeMs: 121_000,
  });
});

test('P-049 negotiated parameters hold from the next message on', () => {
  const peer = new UdpPeer();
  peer.endpoint.setParameters({ ackTimeoutMs: 4000, ackRandomFactor: 1, maxRetransmit: 1, probingRate: 5 });
  send(peer, 1);
  expect(departures(peer, 600_000).map(({ at }) => at)).toEqual([0, 4000]);
});

test('no datagram exceeds the payload that the session allows', () => {
  const peer = new UdpPeer({ maxPayload: 600 });
  peer.give({
    type: 'send',
    exchange: 1,
    request: request(METHOD.put, { payload: new Uint8Array(5000), confirmable: false }),
  });
  peer.says(NON, METHOD.get, 1);
  peer.answer(response(RESPONSE.content, { payload: new Uint8Array(5000) }));
  const datagrams = peer.datagrams();
  expect(datagrams).toHaveLength(2);
  for (const datagram of datagrams) {
    expect(datagram.length).toBeLessThanOrEqual(600);
    expect(datagram.length).toBeGreaterThan(512);
  }
});
