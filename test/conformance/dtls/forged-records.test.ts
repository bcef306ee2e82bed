/** RFC 6347 §4.1.2.7: invalid records are discarded, "thus preserving the association". */
import { suitesFor } from '#adapters/tls/suites.ts';
import { PSK, pskKey } from '#test/support/dtls.ts';
import { makePair } from '#test/support/dtls-pair.ts';
import { makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const server = { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key, pskKey };
const withCertificate = { ca: pki.ca, cert: pki.client.certificate, key: pki.client.key };
const suites = suitesFor({ psk: true, certificate: true }).filter((suite) => !suite.includes('-RSA-'));

function forged(type: number, epoch: number, length: number): Buffer {
  const header = [type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 9, 99, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 7)]);
}

test.each(suites)('no forged record ends an association of %s, whatever its type and length', (suite) => {
  const credentials = suite.includes('PSK') ? { psk: PSK } : withCertificate;
  const pair = makePair({ server, client: { serverName: 'dots.test', ...credentials }, suite });
  expect([pair.client.state, pair.server.state]).toEqual(['established', 'established']);
  for (const type of [20, 21, 22, 23, 24, 255])
    for (const epoch of [0, 1, 2])
      for (let length = 0; length < 80; length++) {
        pair.server.receive(forged(type, epoch, length));
        pair.client.receive(forged(type, epoch, length));
      }
  expect([pair.client.ending, pair.server.ending]).toEqual([undefined, undefined]);
  expect(pair.works()).toBe(true);
  pair.dispose();
});

test('no suite is offered whose records OpenSSL cannot discard in peace', () => {
  for (const suite of suitesFor({ psk: true, certificate: true })) expect(suite).toMatch(/GCM|CCM|POLY1305/);
});
