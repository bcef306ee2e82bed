/** RFC 7641 at the end that is observed: registrations and what becomes of them. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { Message } from '#core/coap/message.ts';
import { isFresher, Observers } from '#core/coap/observe-layer.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption, uintOption } from '#core/coap/options.ts';
import {
  body,
  bytesOf,
  CON,
  NON,
  option,
  RST,
  response,
  TcpPeer,
  text,
  UdpPeer,
} from '#test/support/coap-peer.ts';

const REGISTER = makeUintOption(OPTION.observe, 0);
const DEREGISTER = makeUintOption(OPTION.observe, 1);
const PATH = option(OPTION.uriPath, 0x6d);
const TOKEN = bytesOf(0xa1, 0xb2, 0xc3, 0xd4);

const observeOf = (message: Message): number | undefined => uintOption(message.options, OPTION.observe);

const state = (value: string, observe = true) =>
  response(RESPONSE.content, {
    options: observe ? [makeUintOption(OPTION.observe, 0)] : [],
    payload: text(value),
  });

/** A NON registration, granted; returns its exchange. */
function registered(peer: UdpPeer, token = TOKEN, messageId = 1): number {
  peer.says(NON, METHOD.get, messageId, { token, options: [REGISTER, PATH] });
  return peer.answer(state('first'));
}

const notify = (peer: UdpPeer | TcpPeer, exchange: number, value: string, last = false): void =>
  peer.give({ type: 'notify', exchange, response: state(value), last });

describe('the server', () => {
  test('P-110 Observe 0 registers, 1 deregisters, anything else and any other method means nothing', () => {
    const peer = new UdpPeer();
    const asked = [
      [METHOD.get, 0],
      [METHOD.get, 1],
      [METHOD.get, 2],
      [METHOD.put, 0],
    ] as const;
    for (const [messageId, [code, value]] of asked.entries())
      peer.says(NON, code, messageId, { options: [makeUintOption(OPTION.observe, value)] });
    expect(peer.take('request').map(({ observe }) => observe)).toEqual([
      'register',
      'deregister',
      undefined,
      undefined,
    ]);
  });

  test('P-124 P-128 P-136 S-195 notifications carry the token, a growing number, and are Non-confirmable for ever', () => {
    const peer = new UdpPeer();
    const exchange = registered(peer);
    const messages = peer.hears();
    for (let hour = 1; hour <= 48; hour++) {
      peer.runTo(hour * 3_600_000);
      notify(peer, exchange, `hour ${hour}`);
      messages.push(...peer.hears());
    }
    expect(messages).toHaveLength(49);
    for (const message of messages) {
      expect(message).toMatchObject({ type: NON, token: TOKEN, code: RESPONSE.content });
    }
    const numbers = messages.map(observeOf);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });

  test('P-130 the number wraps at 24 bits and grows in serial arithmetic', () => {
    const observers = new Observers(2 ** 24 - 500);
    const numbers = Array.from(
      { length: 1000 },
      () => uintOption([observers.nextNumber()], OPTION.observe) ?? -1,
    );
    expect(numbers).toContain(2 ** 24 - 1);
    expect(numbers).toContain(0);
    for (const [index, number] of numbers.entries()) {
      expect(number).toBeLessThan(2 ** 24);
      const sequence = numbers[index - 1];
      if (sequence !== undefined)
        expect(isFresher({ sequence: number, at: 0 }, { sequence, at: 0 })).toBe(true);
    }
  });

  test('P-121 the same token replaces its entry', () => {
    const peer = new UdpPeer();
    const old = registered(peer);
    const renewed = registered(peer, TOKEN, 2);
    expect(peer.one('observer-gone').exchange).toBe(old);
    peer.hears();
    notify(peer, old, 'nobody');
    expect(peer.hears()).toEqual([]);
    expect(peer.one('observer-gone').exchange).toBe(old);
    notify(peer, renewed, 'once');
    expect(peer.hears()).toHaveLength(1);
  });

  test('P-121 P-123 of requests with one token that overtake their answers the last one decides', () => {
    const peer = new UdpPeer();
    const ask = (messageId: number, observe: typeof REGISTER): number => {
      peer.says(NON, METHOD.get, messageId, { token: TOKEN, options: [observe, PATH] });
      return peer.one('request').exchange;
    };
    const grant = (exchange: number): void => peer.give({ type: 'respond', exchange, response: state('x') });
    const [first, second] = [ask(1, REGISTER), ask(2, REGISTER)];
    grant(second);
    grant(first);
    expect(peer.hears().map(observeOf)).toEqual([1, undefined]);
    expect(peer.one('observer-gone').exchange).toBe(first);
    notify(peer, second, 'once');
    expect(peer.hears()).toHaveLength(1);
    const third = ask(3, REGISTER);
    expect(peer.one('observer-gone').exchange).toBe(second);
    grant(ask(4, DEREGISTER));
    grant(third);
    expect(peer.one('observer-gone').exchange).toBe(third);
    expect(peer.hears().map(observeOf)).toEqual([undefined, undefined]);
  });

  test('P-122 an answer that does not grant has no Observe, and nothing follows; so with a full table', () => {
    const peer = new UdpPeer();
    peer.says(NON, METHOD.get, 1, { token: TOKEN, options: [REGISTER] });
    const exchange = peer.answer(state('x', false));
    expect(observeOf(peer.hearsOne())).toBeUndefined();
    notify(peer, exchange, 'y');
    expect(peer.hears()).toEqual([]);
    expect(peer.one('observer-gone').exchange).toBe(exchange);

    for (let count = 0; count < 64; count++) registered(peer, bytesOf(count), 100 + count);
    peer.hears();
    const beyond = registered(peer, bytesOf(64), 200);
    expect(observeOf(peer.hearsOne())).toBeUndefined();
    expect(peer.one('observer-gone').exchange).toBe(beyond);
  });

  test('P-123 Observe 1 removes the entry, and its answer has no Observe', () => {
    const peer = new UdpPeer();
    const exchange = registered(peer);
    peer.hears();
    peer.says(NON, METHOD.get, 2, { token: TOKEN, options: [DEREGISTER, PATH] });
    expect(peer.one('observer-gone').exchange).toBe(exchange);
    peer.answer(state('still there'));
    expect(observeOf(peer.hearsOne())).toBeUndefined();
    notify(peer, exchange, 'nobody');
    expect(peer.hears()).toEqual([]);
  });

  test('P-126 a notification other than 2.xx has no Observe and is the last', () => {
    const peer = new UdpPeer();
    const exchange = registered(peer);
    peer.hears();
    const gone = response(RESPONSE.notFound, { options: [REGISTER], payload: text('gone') });
    peer.give({ type: 'notify', exchange, response: gone, last: false });
    const message = peer.hearsOne();
    expect(message).toMatchObject({ type: NON, code: RESPONSE.notFound, token: TOKEN, options: [] });
    notify(peer, exchange, 'back again');
    expect(peer.hears()).toEqual([]);
  });

  test('a last notification of 2.xx ends the observation by having no Observe', () => {
    const peer = new UdpPeer();
    const exchange = registered(peer);
    peer.hears();
    notify(peer, exchange, 'terminated', true);
    expect(observeOf(peer.hearsOne())).toBeUndefined();
    notify(peer, exchange, 'nobody');
    expect(peer.hears()).toEqual([]);
  });

  test('P-133 P-134 a reset of any notification removes the entry', () => {
    for (const rejected of [0, 1, 2]) {
      const peer = new UdpPeer();
      const exchange = registered(peer);
      notify(peer, exchange, 'second');
      notify(peer, exchange, 'third');
      const messages = peer.hears();
      peer.saysEmpty(RST, messages[rejected]?.messageId ?? -1);
      expect(peer.one('observer-gone').exchange).toBe(exchange);
      notify(peer, exchange, 'fourth');
      expect(peer.hears()).toEqual([]);
    }
  });

  test('P-133 a separate Confirmable first notification that nobody acknowledges removes the entry', () => {
    const peer = new UdpPeer();
    peer.says(CON, METHOD.get, 1, { token: TOKEN, options: [REGISTER] });
    peer.runTo(500);
    const exchange = peer.answer(state('late'));
    peer.runTo(60_000);
    expect(peer.one('observer-gone').exchange).toBe(exchange);
  });

  test('P-141 P-144 when the session is gone its entries are', () => {
    for (const peer of [new UdpPeer(), new TcpPeer().introduced()]) {
      const said = { token: TOKEN, options: [REGISTER] };
      if (peer instanceof UdpPeer) peer.says(NON, METHOD.get, 1, said);
      else peer.says(METHOD.get, said);
      const exchange = peer.answer(state('x'));
      peer.hears();
      peer.give({ type: 'closed' });
      expect(peer.one('observer-gone').exchange).toBe(exchange);
      notify(peer, exchange, 'y');
      expect(peer.hears()).toEqual([]);
    }
  });
});

describe('large representations', () => {
  const large = response(RESPONSE.content, { options: [REGISTER], payload: body(3000) });

  test('P-179 P-180 a notification carries the first block only, no larger than the registration asked', () => {
    const peer = new UdpPeer();
    peer.says(NON, METHOD.get, 1, { token: TOKEN, options: [REGISTER, PATH, option(OPTION.block2, 2)] });
    const exchange = peer.answer(large);
    peer.give({ type: 'notify', exchange, response: large, last: false });
    for (const message of peer.hears()) {
      expect(uintOption(message.options, OPTION.block2)).toBe(0x0a);
      expect(observeOf(message)).toBeDefined();
      expect(message.payload).toEqual(body(3000).subarray(0, 64));
    }
  });
});
