import { createPrivateKey, X509Certificate } from 'node:crypto';
import { issueServerCertificate, makeIntermediate, makeRoot } from '#adapters/pki/authority.ts';
import {
  derivedCuidOfCertificate,
  derivedCuidOfPsk,
  identityOfCertificate,
  identityOfPsk,
  identityOfSpki,
} from '#adapters/pki/identity.ts';
import { makeLongChainClient, makeRefusedClients, makeTestPki } from '#test/support/pki.ts';

const pki = await makeTestPki();
const client = new X509Certificate(pki.client.certificate);
const root = new X509Certificate(pki.ca);

describe('certificates', () => {
  test('the CA is a P-256 CA for ten years that signed what it issued', () => {
    expect(root.ca).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(root.validToDate.getUTCFullYear() - root.validFromDate.getUTCFullYear()).toBe(10);
    expect(client.verify(root.publicKey)).toBe(true);
    expect(client.checkIssued(root)).toBe(true);
    expect(client.ca).toBe(false);
  });

  test('keys are PKCS#8 and belong to their certificates', () => {
    expect(pki.client.key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(client.checkPrivateKey(createPrivateKey(pki.client.key))).toBe(true);
    expect(client.checkPrivateKey(createPrivateKey(pki.server.key))).toBe(false);
  });

  test('usages are exactly one: serverAuth or clientAuth', () => {
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(new X509Certificate(pki.server.certificate).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  test('S-379 a server certificate names DNS-ID, SRV-ID and addresses in its SAN', () => {
    const server = new X509Certificate(pki.server.certificate);
    expect(server.checkHost('dots.test', { subject: 'never' })).toBe('dots.test');
    expect(server.checkHost('other.test', { subject: 'never' })).toBeUndefined();
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkIP('::1')).toBe('::1');
    expect(server.raw.includes('_dots-signal.dots.test')).toBe(true);
  });

  test('S-380 a wildcard is never issued', async () => {
    await expect(
      issueServerCertificate(pki.authority, { name: 'x', dnsNames: ['*.example.net'] }),
    ).rejects.toThrow('Not a host name');
  });

  test('a chain under intermediates is leaf first and without the root', async () => {
    const { certificate } = await makeLongChainClient(pki.authority, 3);
    const chain = certificate
      .match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g)
      ?.map((pem) => new X509Certificate(pem));
    expect(chain).toHaveLength(4);
    expect(chain?.every((link, index) => link.checkIssued(chain[index + 1] ?? root))).toBe(true);
    expect(chain?.every((link, index) => link.verify((chain[index + 1] ?? root).publicKey))).toBe(true);
  });

  test('a key that is not the CA’s is noticed before anything is signed', async () => {
    const other = await makeRoot({ name: 'Other' });
    await expect(makeIntermediate({ ...pki.authority, key: other.key }, { name: 'x' })).rejects.toThrow(
      'does not belong',
    );
  });

  test('refused clients are refused for the reason they are named after', async () => {
    const refused = await makeRefusedClients(pki.authority);
    const read = (name: keyof typeof refused): X509Certificate =>
      new X509Certificate(refused[name].certificate);
    expect(read('expired').validToDate.getTime()).toBeLessThan(Date.now());
    expect(read('notYetValid').validFromDate.getTime()).toBeGreaterThan(Date.now());
    expect(read('unknownAuthority').checkIssued(root)).toBe(false);
    expect(read('wrongUsage').keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });
});

describe('identities', () => {
  test('S-050 S-104 a cuid or cdid is the first 16 bytes of the hash over PSK identity or SPKI', () => {
    expect(derivedCuidOfPsk('dots-client-1')).toBe('z85PF07F0YiHmas-fJkqRg');
    expect(derivedCuidOfPsk('Client_identity')).toBe('Qu61DPs0qZJ-NyTbKgP2zQ');
    const spki = client.publicKey.export({ type: 'spki', format: 'der' });
    expect(derivedCuidOfCertificate(pki.client.certificate)).toBe(
      identityOfSpki(spki).slice(0, 21) + derivedCuidOfCertificate(client.raw).slice(21),
    );
    expect(derivedCuidOfCertificate(pki.client.certificate)).toHaveLength(22);
  });

  test('an identity is the whole hash, the same for PEM, DER and the bare key', () => {
    const identity = identityOfCertificate(pki.client.certificate);
    expect(identity).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(identityOfCertificate(client.raw)).toBe(identity);
    expect(identityOfSpki(client.publicKey.export({ type: 'spki', format: 'der' }))).toBe(identity);
    expect(identityOfCertificate(pki.otherClient.certificate)).not.toBe(identity);
    expect(identityOfPsk('dots-client-1').slice(0, 21)).toBe(derivedCuidOfPsk('dots-client-1').slice(0, 21));
  });
});
