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

test('there are vectors', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(9);
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
