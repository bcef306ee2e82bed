/** Every body of test/vectors/signal, decoded and encoded: the figures of RFC 9132 byte for byte. */
import { readdirSync, readFileSync } from 'node:fs';
import { toHex } from '#core/base/bytes.ts';
import type { Result } from '#core/base/result.ts';
import type { BodyError } from '#core/signal/bodies.ts';
import { decodeConfigAnswer, decodeConfigRequest, encodeConfig } from '#core/signal/config-codec.ts';
import { decodeHeartbeat, encodeHeartbeat } from '#core/signal/heartbeat-codec.ts';
import {
  decodeMitigationAnswer,
  decodeMitigationRequest,
  encodeMitigationAnswer,
  encodeMitigationRequest,
} from '#core/signal/mitigation-codec.ts';
import { decodeMitigationStatus, encodeMitigationStatus } from '#core/signal/mitigation-status-codec.ts';
import { decodeRedirect, encodeRedirect } from '#core/signal/redirect-codec.ts';

interface Codec {
  readonly decode: (bytes: Uint8Array) => Result<unknown, BodyError>;
  readonly encode: (body: never) => Uint8Array;
}

const CODECS: Readonly<Record<string, Codec>> = {
  'mitigation-request': { decode: decodeMitigationRequest, encode: encodeMitigationRequest },
  'mitigation-answer': { decode: decodeMitigationAnswer, encode: encodeMitigationAnswer },
  'mitigation-status': { decode: decodeMitigationStatus, encode: encodeMitigationStatus },
  'config-request': { decode: decodeConfigRequest, encode: encodeConfig },
  'config-answer': { decode: decodeConfigAnswer, encode: encodeConfig },
  redirect: { decode: decodeRedirect, encode: encodeRedirect },
  heartbeat: { decode: decodeHeartbeat, encode: encodeHeartbeat },
};

/** 64-bit quantities are strings in the files, as in JSON of the RFC (§6, Table 5). */
const WIDE = ['mitigationStart', 'bytesDropped', 'bpsDropped', 'pktsDropped', 'ppsDropped'];

interface Vector {
  readonly source: string;
  readonly message: string;
  readonly cbor: string;
  readonly body: unknown;
}

const folder = new URL('./signal/', import.meta.url);
const vectors = readdirSync(folder).map(
  (file) =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8'), (name, value: unknown) =>
      WIDE.includes(name) ? BigInt(value as string) : value,
    ) as Vector,
);

test('S-356 the bodies that RFC 9132 prints are all here, and each is a message of the module to our strict reader', () => {
  const figures = [8, 10, 11, 14, 16, 20, 23, 26, 27].map((number) => `RFC 9132 Figure ${number}`);
  expect(vectors.map(({ source }) => source)).toEqual(expect.arrayContaining(figures));
  for (const { source, message, cbor } of vectors) {
    const decoded = CODECS[message]?.decode(Uint8Array.from(Buffer.from(cbor, 'hex')));
    expect([source, decoded?.ok]).toEqual([source, true]);
  }
});

describe.each(vectors)('$source ($message)', ({ message, cbor, body }) => {
  const codec = CODECS[message];
  if (codec === undefined) throw new Error(`no codec for ${message}`);

  test('decodes to the body', () => {
    expect(codec.decode(Uint8Array.from(Buffer.from(cbor, 'hex')))).toEqual({ ok: true, value: body });
  });

  test('encodes to the bytes', () => {
    expect(toHex(codec.encode(body as never))).toBe(cbor);
  });
});

test('S-099 the reference bytes of Figure 8 are 73', () => {
  const figure = vectors.find(({ source }) => source === 'RFC 9132 Figure 8');
  expect(figure?.cbor.length).toBe(2 * 73);
  expect(toHex(encodeMitigationRequest(figure?.body as never))).toBe(figure?.cbor);
});

test('S-361 Figure 23 has the keys of configuration: 30, 32, 44, 33, 36 to 39, and 40 to 43 for decimals', () => {
  const figure = vectors.find(({ source }) => source === 'RFC 9132 Figure 23');
  const encoded = toHex(encodeConfig(figure?.body as never));
  expect(encoded).toBe(figure?.cbor);
  const keys = ['181e', '1820', '182c', '1821', '1824', '1825', '1826', '1827', '182b', '1828', '1829', '182a'];
  const used = keys.filter((key) => encoded.includes(key));
  expect(used).toEqual(keys.filter((key) => !['1829', '182a'].includes(key)));
  const bounds = toHex(
    encodeConfig({ idle: { ackTimeout: { max: 30, min: 1, current: 2 }, probingRate: { max: 20, min: 5, current: 5 } } }),
  );
  // ack-timeout in decimals (41, 42, 43), probing-rate (50) in whole numbers (34, 35, 36).
  expect(bounds).toBe(
    'a1181ea1182ca2' + '1832a3182214182305182405' + '1827a31829c48221190bb8182ac482211864182bc4822118c8',
  );
});
