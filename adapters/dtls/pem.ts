/** PEM text to OpenSSL's objects. The caller owns what it gets and frees it. */
import { openssl, type Pointer, takeErrors } from './openssl.ts';

/** Every certificate of the text, at least one. Throws when there is none or one is broken. */
export function readCertificates(pem: string): readonly Pointer[] {
  const { PEM_read_bio_X509 } = openssl();
  const announced = pem.match(/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/g)?.length ?? 0;
  const certificates = readAll(pem, PEM_read_bio_X509);
  if (announced === 0 || certificates.length !== announced)
    throw new Error(`Not a PEM certificate: ${certificates.length} of ${announced} could be read`);
  return certificates;
}

/** The first private key of the text. Throws when there is none. */
export function readPrivateKey(pem: string): Pointer {
  const { PEM_read_bio_PrivateKey, BIO_new_mem_buf, BIO_free, ERR_clear_error } = openssl();
  if (/-----BEGIN ENCRYPTED|ENCRYPTED$/m.test(pem))
    throw new Error('The private key is encrypted: store it as plain PKCS#8, readable only for this process');
  const bytes = Buffer.from(pem);
  ERR_clear_error();
  const bio = BIO_new_mem_buf(bytes, bytes.length);
  const key = PEM_read_bio_PrivateKey(bio, null, null, null);
  BIO_free(bio);
  if (key === null) throw new Error(`Not a PEM private key: ${takeErrors()}`);
  return key;
}

/** A copy of the certificate's DER. */
export function certificateDer(certificate: Pointer): Uint8Array {
  const { i2d_X509 } = openssl();
  const der = new Uint8Array(i2d_X509(certificate, [null]));
  i2d_X509(certificate, [der]);
  return der;
}

function readAll(
  pem: string,
  read: (bio: Pointer, out: Pointer, callback: Pointer, argument: Pointer) => Pointer,
): readonly Pointer[] {
  const { BIO_new_mem_buf, BIO_free, ERR_clear_error } = openssl();
  const bytes = Buffer.from(pem);
  const bio = BIO_new_mem_buf(bytes, bytes.length);
  const objects: Pointer[] = [];
  for (let next = read(bio, null, null, null); next !== null; next = read(bio, null, null, null))
    objects.push(next);
  BIO_free(bio);
  ERR_clear_error();
  return objects;
}
