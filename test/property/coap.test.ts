/** Codecs and endpoint under any input: what is encoded comes back, and no bytes throw or grow without bound. */
import fc from 'fast-check';
import { createEndpoint } from '#core/coap/endpoint.ts';
import type { Message } from '#core/coap/message.ts';
import { encodeTcp, TcpDecoder, tcpLength } from '#core/coap/tcp-message.ts';
import { decodeUdp, encodeUdp, udpLength } from '#core/coap/udp-message.ts';
import { endpointOptions } from '#test/support/coap-peer.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const options = fc
  .array(fc.record({ number: fc.nat(0xffff), value: bytes(400) }), { maxLength: 8 })
  .map((some) => some.sort((left, right) => left.number - right.number));

/** Codes that UDP carries with content. */
const code = fc.oneof(
  fc.integer({ min: 0x01, max: 0x1f }),
  fc.integer({ min: 0x40, max: 0x5f }),
  fc.integer({ min: 0x80, max: 0xbf }),
);

const message: fc.Arbitrary<Message> = fc.record({
  code,
  token: bytes(8),
  options,
  payload: fc.oneof(bytes(40), bytes(3000)),
});

/** Bytes that look like messages at their beginning reach deeper than random ones. */
const almostUdp = fc
  .tuple(fc.constantFrom(0x40, 0x44, 0x50, 0x60, 0x70), fc.nat(255), bytes(60))
  .map(([first, second, rest]) => Uint8Array.from([first, second, 0, 1, ...rest]));

test('P-006 P-241 what is encoded decodes to the same, in both framings', () => {
  fc.assert(
    fc.property(message, fc.constantFrom(0, 1), fc.nat(0xffff), (said, type, messageId) => {
      const datagram = encodeUdp(type, messageId, said);
      expect(datagram).toHaveLength(udpLength(said));
      expect(decodeUdp(datagram)).toEqual({ ok: true, value: { type, messageId, ...said } });
      const decoded: Message[] = [];
      const frame = encodeTcp(said);
      expect(frame.length).toBeLessThanOrEqual(tcpLength(said));
      new TcpDecoder(1 << 20).push(frame, (one) => decoded.push(one) > 0);
      expect(decoded).toEqual([said]);
    }),
    { numRuns: 500 },
  );
});

test('P-009 no datagram makes the decoder throw, and what decodes encodes to a message of the same meaning', () => {
  fc.assert(
    fc.property(fc.oneof(bytes(80), almostUdp), (datagram) => {
      const decoded = decodeUdp(datagram);
      if (!decoded.ok || decoded.value.code === 0) return;
      const { type, messageId } = decoded.value;
      expect(decodeUdp(encodeUdp(type, messageId, decoded.value))).toEqual(decoded);
    }),
    { numRuns: 5000 },
  );
});

test('P-242 a stream cut anywhere gives the same messages', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.array(fc.nat(700), { maxLength: 30 }),
      (said, cuts) => {
        const stream = Uint8Array.from(said.flatMap((one) => [...encodeTcp(one)]));
        const decoder = new TcpDecoder(1 << 20);
        const decoded: Message[] = [];
        let at = 0;
        for (const length of [...cuts, stream.length]) {
          const piece = stream.slice(at, at + length);
          expect(decoder.push(piece, (one) => decoded.push(one) > 0).ok).toBe(true);
          at += piece.length;
        }
        expect(decoded).toEqual(said);
        expect(decoder.held).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('P-298 no stream makes the decoder throw or hold more than one message', () => {
  fc.assert(
    fc.property(fc.array(bytes(60), { maxLength: 40 }), (pieces) => {
      const decoder = new TcpDecoder(200);
      for (const piece of pieces) {
        if (!decoder.push(piece, () => true).ok) return;
        expect(decoder.held).toBeLessThanOrEqual(200);
      }
    }),
    { numRuns: 3000 },
  );
});

test.each(['udp', 'tcp'] as const)('no bytes over %s make an endpoint throw', (transport) => {
  const input =
    transport === 'udp'
      ? fc.oneof(
          almostUdp,
          message.map((said) => encodeUdp(0, 7, said)),
        )
      : bytes(80);
  fc.assert(
    fc.property(fc.array(input, { maxLength: 20 }), (received) => {
      const endpoint = createEndpoint(endpointOptions({ transport, maxBody: 2048 }));
      let now = 0;
      if (transport === 'tcp') endpoint.step({ type: 'received', bytes: Uint8Array.of(0, 0xe1) }, now);
      for (const piece of received) {
        now += 1000;
        for (const output of endpoint.step({ type: 'received', bytes: piece }, now)) {
          if (output.type !== 'request') continue;
          const { exchange } = output;
          const response = { code: 0x45, options: [], payload: new Uint8Array(2000) };
          endpoint.step({ type: 'respond', exchange, response }, now);
        }
        endpoint.step({ type: 'tick' }, now);
      }
    }),
    { numRuns: 1000 },
  );
});
