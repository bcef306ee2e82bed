import { X509Certificate } from 'node:crypto';
import { derContent, readDer, writeDer } from '#adapters/pki/der.ts';
import { certificateNames } from '#adapters/pki/server-name.ts';
import { presentsServiceName } from '#adapters/pki/subject-alternative-name.ts';
import { makeTestPki } from '#test/support/pki.ts';

test.each([0, 1, 127, 128, 255, 256, 65_535])('content of %i bytes is written and read', (length) => {
  const content = new Uint8Array(length).fill(7);
  const written = writeDer(0x30, content);
  expect(derContent(written, 0x30)).toEqual(content);
  expect(derContent(written, 0x31)).toBeUndefined();
  expect(readDer(Buffer.concat([written, written]))).toHaveLength(2);
});

test.each<[string, readonly number[]]>([
  ['a tag alone', [0x30]],
  ['content cut short', [0x30, 3, 1, 2]],
  ['a length cut short', [0x30, 0x82, 1]],
  ['an indefinite length', [0x30, 0x80, 0, 0]],
  ['a length of four bytes', [0x30, 0x84, 0, 0, 0, 1, 5]],
])('%s is no DER', (_what, bytes) => {
  expect(readDer(Uint8Array.from(bytes))).toBeUndefined();
});

test('a certificate names its hosts, addresses and services, whatever the case, and nothing else', async () => {
  const { server } = await makeTestPki();
  const { raw } = new X509Certificate(server.certificate);
  for (const name of ['dots.test', 'DOTS.test', 'localhost', '127.0.0.1', '::1'])
    expect([name, certificateNames(raw, name)]).toEqual([name, true]);
  for (const name of ['test', 'x.dots.test', '127.0.0.2', '::2', '_dots-signal.dots.test'])
    expect([name, certificateNames(raw, name)]).toEqual([name, false]);
  expect(presentsServiceName(raw, 'Dots.Test')).toBe(true);
  expect(presentsServiceName(raw, 'ots.test')).toBe(false);
  for (let length = 0; length < raw.length; length += 7)
    presentsServiceName(raw.subarray(0, length), 'dots.test');
});
