/** The body of a redirecting 5.03 (RFC 9132 §4.6): `alt-server` is mandatory, its addresses are not. */
import type { Result } from '../base/result.ts';
import { parseIpPrefix } from '../model/ip-prefix.ts';
import type { BodyError, RedirectBody } from './bodies.ts';
import { BodyReader } from './body-reader.ts';
import { encodeBody, listOf, mapOf } from './body-writer.ts';
import { isDomainName } from './target-name.ts';

export function decodeRedirect(bytes: Uint8Array): Result<RedirectBody, BodyError> {
  const reader = new BodyReader('RFC 9132 §4.6', { tolerant: true });
  const fields = reader.open(bytes, 'redirected-signal', ['alt-server', 'alt-server-record']);
  const altServer = reader.text(fields, 'alt-server') ?? '';
  if (!isDomainName(altServer)) reader.refuse('alt-server', 'not a domain name');
  const altServerRecords = reader.list(fields, 'alt-server-record', (value) => {
    const address = reader.textValue(value, 'alt-server-record');
    if (address !== undefined && isAddress(address)) return address;
    reader.refuse('alt-server-record', 'not an IP address');
    return undefined;
  });
  return reader.finish({ altServer, altServerRecords });
}

export const encodeRedirect = (body: RedirectBody): Uint8Array =>
  encodeBody(
    'redirected-signal',
    mapOf([
      ['alt-server', body.altServer],
      ['alt-server-record', listOf(body.altServerRecords, (address) => address)],
    ]),
  );

const isAddress = (text: string): boolean => !text.includes('/') && parseIpPrefix(text) !== undefined;
