/** RFC 7641 at the end that observes: which notifications count, and how an observation ends. */
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { isFresher } from '#core/coap/observe-layer.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import {
  ACK,
  body,
  bytesOf,
  CON,
  NON,
  option,
  RST,
  request,
  TcpPeer,
  text,
  UdpPeer,
} from '#test/support/coap-peer.ts';

const REGISTER = makeUintOption(OPTION.observe, 0);
const DEREGISTER = makeUintOption(OPTION.observe, 1);
const PATH = option(OPTION.uriPath, 0x6d);

describe('the client', () => {
  const get = request(METHOD.get, { options: [REGISTER, PATH], confirmable: false });

  /** A client whose registration is sent; returns its token. */
  function registering(peer: UdpPeer | TcpPeer): Uint8Array {
    peer.give({ type: 'send', exchange: 1, request: get });
    return peer.hearsOne().token;
  }
  const notification = (token: Uint8Array, number: number | undefined, value = 'x') => ({
    token,
    options: number === undefined ? [] : [makeUintOption(OPTION.observe, number)],
    payload: text(value),
  });

  test('P-112 without Observe in the response there is no observation', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, undefined));
    expect(peer.one('response').more).toBe(false);
    peer.says(NON, RESPONSE.content, 2, notification(token, 5));
    expect(peer.take('response')).toEqual([]);
  });

  test('P-114 P-060 a renewal has the same token; a new observation after the cancellation has another', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 1));
    peer.give({ type: 'send', exchange: 1, request: get });
    expect(peer.hearsOne()).toMatchObject({ token, options: get.options });
    peer.says(NON, RESPONSE.content, 2, notification(token, 2));
    expect(peer.take('response').map(({ more }) => more)).toEqual([true, true]);
    peer.give({ type: 'forget', exchange: 1 });
    expect(registering(peer)).not.toEqual(token);
  });

  test('a registration repeated under its token before any answer still ends by itself', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.runTo(3000);
    peer.give({ type: 'send', exchange: 1, request: get });
    expect(peer.hearsOne().token).toEqual(token);
    peer.runTo(200_000);
    expect(peer.one('failed')).toMatchObject({ exchange: 1, reason: 'timeout' });
  });

  test('a renewal holds the token when the registration before it is given up', () => {
    const peer = new UdpPeer();
    const confirmable = { ...get, confirmable: true };
    peer.give({ type: 'send', exchange: 1, request: confirmable });
    const { token } = peer.hearsOne();
    peer.give({ type: 'send', exchange: 1, request: confirmable });
    peer.runTo(46_000);
    expect(peer.take('failed')).toEqual([]);
    peer.says(NON, RESPONSE.content, 1, notification(token, 1));
    expect(peer.one('response')).toMatchObject({ exchange: 1, more: true });
  });

  test('P-116 only fresher notifications are handed up', () => {
    const at = (sequence: number, seconds = 0) => ({ sequence, at: seconds * 1000 });
    expect(isFresher(at(45), at(44))).toBe(true);
    expect(isFresher(at(12), at(44))).toBe(false);
    expect(isFresher(at(3), at(16_777_215))).toBe(true);
    expect(isFresher(at(12, 128), at(44))).toBe(false);
    expect(isFresher(at(12, 129), at(44))).toBe(true);

    const peer = new UdpPeer();
    const token = registering(peer);
    const values: string[] = [];
    const arrive = (messageId: number, number: number): void => {
      peer.says(NON, RESPONSE.content, messageId, notification(token, number, String(number)));
      for (const {
        response: { payload },
      } of peer.take('response'))
        values.push(Buffer.from(payload).toString());
    };
    arrive(1, 44);
    arrive(2, 12);
    arrive(3, 16_777_215);
    arrive(4, 3_000_000);
    peer.runTo(129_000);
    arrive(5, 7);
    expect(values).toEqual(['44', '3000000', '7']);
    expect(peer.hears()).toEqual([]);
  });

  test('P-306 a CON notification is acknowledged and handed up, also when it is not the freshest', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 5));
    peer.says(CON, RESPONSE.content, 2, notification(token, 6, 'new'));
    expect(peer.take('response')).toHaveLength(2);
    expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 2, code: 0 });
    peer.says(CON, RESPONSE.content, 3, notification(token, 4, 'old'));
    expect(peer.take('response')).toEqual([]);
    expect(peer.hearsOne()).toMatchObject({ type: ACK, messageId: 3, code: 0 });
  });

  test('P-119 a forgotten observation meets its next notification with a reset', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 5));
    peer.give({ type: 'forget', exchange: 1 });
    expect(peer.hears()).toEqual([]);
    peer.says(NON, RESPONSE.content, 2, notification(token, 6));
    expect(peer.hearsOne()).toMatchObject({ type: RST, messageId: 2 });
  });

  test('P-120 explicit cancellation: same token, same options, Observe 1', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 5));
    const cancel = { ...get, options: [DEREGISTER, PATH] };
    peer.give({ type: 'send', exchange: 1, request: cancel });
    expect(peer.hearsOne()).toMatchObject({ token, options: [DEREGISTER, PATH] });
    // A notification crosses the cancellation: the observation is not over before its answer.
    peer.says(NON, RESPONSE.content, 2, notification(token, 6));
    peer.says(NON, RESPONSE.content, 3, notification(token, undefined));
    expect(peer.take('response').map(({ more }) => more)).toEqual([true, true, false]);
  });

  test('an observation goes on for days without a word', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 5));
    peer.runTo(3 * 86_400_000);
    expect(peer.take('failed')).toEqual([]);
    peer.says(NON, RESPONSE.content, 2, notification(token, 6));
    expect(peer.take('response')).toHaveLength(2);
  });

  test('an error notification ends the observation', () => {
    const peer = new UdpPeer();
    const token = registering(peer);
    peer.says(NON, RESPONSE.content, 1, notification(token, 5));
    peer.says(NON, RESPONSE.notFound, 2, { token });
    expect(peer.take('response').map(({ more }) => more)).toEqual([true, false]);
  });

  test('P-142 over TCP the number is ignored', () => {
    const peer = new TcpPeer().introduced();
    const token = registering(peer);
    for (const number of [9, 3, 0]) peer.says(RESPONSE.content, notification(token, number, String(number)));
    expect(peer.take('response').map(({ response: { payload } }) => Buffer.from(payload).toString())).toEqual(
      ['9', '3', '0'],
    );
  });

  test('P-143 over TCP forgetting sends Observe 1 with the token, and its answer is kept quiet', () => {
    const peer = new TcpPeer().introduced();
    const token = registering(peer);
    peer.says(RESPONSE.content, notification(token, 1));
    peer.take('response');
    peer.give({ type: 'forget', exchange: 1 });
    expect(peer.hearsOne()).toMatchObject({ code: METHOD.get, token, options: [DEREGISTER, PATH] });
    peer.says(RESPONSE.content, notification(token, 2));
    peer.says(RESPONSE.content, notification(token, undefined));
    expect(peer.take('response')).toEqual([]);
    expect(peer.traces()).toEqual([]);
  });

  test('P-145 over TCP a notification with an unknown token is ignored, and the connection stays', () => {
    const peer = new TcpPeer().introduced();
    peer.says(RESPONSE.content, notification(bytesOf(1, 2, 3), 1));
    expect(peer.traces()).toEqual(['unknown-message']);
    expect([...peer.take('close'), ...peer.take('response'), ...peer.hears()]).toEqual([]);
  });
});

describe('large representations', () => {
  test('P-181 P-155 the rest is fetched under other tokens without Observe, and the observation goes on', () => {
    const peer = new UdpPeer();
    const get = request(METHOD.get, { options: [REGISTER, PATH], confirmable: false });
    peer.give({ type: 'send', exchange: 1, request: get });
    const { token } = peer.hearsOne();
    const etag = option(OPTION.etag, 1);
    const block = (value: number) => makeUintOption(OPTION.block2, value);
    peer.says(NON, RESPONSE.content, 1, {
      token,
      options: [etag, makeUintOption(OPTION.observe, 8), block(0x0e)],
      payload: body(1500).subarray(0, 1024),
    });
    const rest = peer.hearsOne();
    expect(rest.token).not.toEqual(token);
    expect(rest.options).toEqual([etag, PATH, block(0x16)]);
    peer.says(NON, RESPONSE.content, 2, {
      token: rest.token,
      options: [etag, block(0x16)],
      payload: body(1500).subarray(1024),
    });
    expect(peer.one('response')).toMatchObject({ more: true, response: { payload: body(1500) } });
    peer.says(NON, RESPONSE.content, 3, {
      token,
      options: [makeUintOption(OPTION.observe, 9)],
      payload: text('short'),
    });
    expect(peer.one('response')).toMatchObject({ more: true, response: { payload: text('short') } });
  });
});
