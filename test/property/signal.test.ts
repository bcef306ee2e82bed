import fc from 'fast-check';
import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { textOptions } from '#core/coap/options.ts';
import type { Cuid, Mid } from '#core/model/identifiers.ts';
import { isForbiddenTarget, parseIpPrefix } from '#core/model/ip-prefix.ts';
import { STATUS_NUMBER, type Status } from '#core/model/status.ts';
import type { MitigationRequestBody, MitigationStatusEntry, SignalConfigBody } from '#core/signal/bodies.ts';
import { decodeConfigAnswer, decodeConfigRequest, encodeConfig } from '#core/signal/config-codec.ts';
import { decodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import {
  decodeMitigationAnswer,
  decodeMitigationRequest,
  encodeMitigationRequest,
} from '#core/signal/mitigation-codec.ts';
import { decodeMitigationStatus, encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { decodeRedirect } from '#core/signal/redirect-codec.ts';
import { mitigatePath, parseSignalPath } from '#core/signal/uri-path.ts';

const present = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
/** Properties that are undefined are absent. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;

const prefix = fc
  .oneof(
    fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => `${address}/${length}`),
    fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, length]) => `${address}/${length}`),
  )
  .filter((text) => {
    const parsed = parseIpPrefix(text);
    return parsed !== undefined && !isForbiddenTarget(parsed);
  });
const portRange = fc
  .tuple(fc.nat(65535), present(fc.nat(65535)))
  .map(([lowerPort, other]) =>
    other === undefined || other < lowerPort ? { lowerPort } : { lowerPort, upperPort: other },
  );
const scope = fc.record({
  targetPrefixes: fc.array(prefix, { minLength: 1, maxLength: 4 }),
  targetPortRanges: fc.uniqueArray(portRange, { selector: ({ lowerPort }) => lowerPort, maxLength: 4 }),
  targetProtocols: fc.array(fc.nat(255), { maxLength: 3 }),
  targetFqdns: fc.array(fc.domain(), { maxLength: 2 }),
  targetUris: fc.array(
    fc.tuple(fc.domain(), fc.nat(65535)).map(([name, port]) => `https://${name}:${port}/a?b=%20#c`),
    { maxLength: 2 },
  ),
  aliasNames: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
});
const lifetime = fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
const request: fc.Arbitrary<MitigationRequestBody> = fc
  .record({
    scope,
    triggerMitigation: fc.boolean(),
    lifetimeSeconds: lifetime,
    attackStatus: present(fc.constantFrom('underAttack' as const, 'attackSuccessfullyMitigated' as const)),
  })
  .map(compact) as fc.Arbitrary<MitigationRequestBody>;

const counter = present(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const entry = fc
  .record({
    mid: fc.nat(0xffff_ffff),
    scope,
    triggerMitigation: fc.boolean(),
    mitigationStart: present(fc.nat()),
    lifetimeSeconds: lifetime,
    status: fc.constantFrom(...(Object.keys(STATUS_NUMBER) as Status[])),
    bytesDropped: counter,
    bpsDropped: counter,
    pktsDropped: counter,
    ppsDropped: counter,
  })
  .map(compact) as unknown as fc.Arbitrary<MitigationStatusEntry>;

test('A-242 a mitigation request survives the wire', () => {
  fc.assert(
    fc.property(request, (body) => {
      expect(decodeMitigationRequest(encodeMitigationRequest(body))).toEqual({ ok: true, value: body });
    }),
  );
});

test('S-171 a list of mitigations survives the wire, in order', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const decoded = decodeMitigationStatus(encodeMitigationStatus(entries));
      const expected = entries.map((sent) =>
        sent.mitigationStart === undefined
          ? sent
          : { ...sent, mitigationStart: BigInt(sent.mitigationStart) },
      );
      expect(decoded).toEqual({ ok: true, value: expected });
    }),
  );
});

const bounded = (value: fc.Arbitrary<number>) =>
  fc.record({ current: value, min: present(value), max: present(value) }).map(compact);
const uint16 = bounded(fc.nat(65535));
const hundredths = bounded(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((mantissa) => mantissa / 100));
const set = fc
  .record({
    heartbeatInterval: present(uint16),
    missingHbAllowed: present(uint16),
    probingRate: present(uint16),
    maxRetransmit: present(uint16),
    ackTimeout: present(hundredths),
    ackRandomFactor: present(hundredths),
  })
  .map(compact);
const config = fc
  .record({ sid: present(fc.nat(0xffff_ffff)), mitigating: present(set), idle: present(set) })
  .map(compact) as unknown as fc.Arbitrary<SignalConfigBody>;

test('A-243 a configuration survives the wire, decimals to the hundredth', () => {
  fc.assert(
    fc.property(config, (body) => {
      expect(decodeConfigAnswer(encodeConfig(body))).toEqual({ ok: true, value: body });
    }),
  );
});

test('no bytes make a decoder throw', () => {
  const decoders = [
    decodeMitigationRequest,
    decodeMitigationAnswer,
    decodeMitigationStatus,
    decodeConfigRequest,
    decodeConfigAnswer,
    decodeHeartbeat,
    decodeRedirect,
  ];
  const containers = [
    '',
    'a101',
    'a10102',
    'a1010281',
    'a1010281a106',
    'a1181e',
    'a1181ea11820a1',
    'a1182e',
    'a11831',
  ];
  const bytes = fc
    .tuple(fc.constantFrom(...containers), fc.uint8Array({ maxLength: 60 }))
    .map(([hex, rest]) => Uint8Array.from([...Buffer.from(hex, 'hex'), ...rest]));
  fc.assert(
    fc.property(bytes, (body) => {
      for (const decode of decoders) {
        const decoded = decode(body);
        if (!decoded.ok) expect(decoded.error.section).toMatch(/^RFC 9132 §/);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('a client’s path is what the server reads', () => {
  const cuid = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
  fc.assert(
    fc.property(cuid, fc.nat(0xffff_ffff), (text, mid) => {
      const segments = textOptions(mitigatePath(text as Cuid, mid as Mid), OPTION.uriPath) ?? [];
      expect(parseSignalPath(segments, METHOD.put)).toEqual({
        ok: true,
        value: { resource: 'mitigate', method: 'put', cuid: text, mid },
      });
    }),
  );
});

test('no path makes the parser throw, and every refusal is 4.00, 4.04 or 4.05', () => {
  const segment = fc.oneof(
    fc.constantFrom(
      '.well-known',
      'dots',
      'mitigate',
      'config',
      'hb',
      'cuid=x',
      'mid=1',
      'cdid=g',
      'sid=1',
      '',
    ),
    fc.string(),
  );
  const start = fc.constantFrom<string[]>([], ['.well-known', 'dots']);
  fc.assert(
    fc.property(
      start,
      fc.array(segment, { maxLength: 6 }),
      fc.nat(7),
      fc.boolean(),
      (first, rest, code, trustsCdid) => {
        const parsed = parseSignalPath([...first, ...rest], code, { trustsCdid });
        if (!parsed.ok) expect(['invalid', 'not-found', 'method-not-allowed']).toContain(parsed.error.code);
      },
    ),
    { numRuns: 3_000 },
  );
});
