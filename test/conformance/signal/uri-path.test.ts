/** RFC 9132 §4.2, §4.4.1.1, §4.5.2, §4.7: paths and their parameters. */
import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { textOptions } from '#core/coap/options.ts';
import type { Cuid, Mid, Sid } from '#core/model/identifiers.ts';
import { configPath, heartbeatPath, mitigatePath, parseSignalPath } from '#core/signal/uri-path.ts';

const { get, put, delete: del, post, fetch, patch, ipatch } = METHOD;

/** The error's code, with field and reason when it is 4.00; the route otherwise. */
function read(path: string, code: number, trustsCdid = false): unknown {
  const parsed = parseSignalPath(path.split('/'), code, { trustsCdid });
  if (parsed.ok) return parsed.value;
  return parsed.error.code === 'invalid' ? `${parsed.error.field}: ${parsed.error.why}` : parsed.error.code;
}
const mitigate = (parameters: string, code: number, trustsCdid = false): unknown =>
  read(`.well-known/dots/mitigate${parameters}`, code, trustsCdid);

test('S-021 S-022 what is not below /.well-known/dots is 4.04', () => {
  for (const path of [
    'dots/mitigate',
    '.well-known/dots',
    '.well-known/dots/foo',
    '.well-known/core',
    '',
    '.well-known//mitigate',
    '.well-known/dots/toString',
  ]) {
    expect(read(path, get)).toBe('not-found');
  }
});

test('S-010 S-413 methods that a resource has not are 4.05', () => {
  for (const code of [post, fetch, patch, ipatch, 0x1f]) {
    for (const path of ['mitigate/cuid=x/mid=1', 'config', 'config/sid=1', 'hb']) {
      expect(read(`.well-known/dots/${path}`, code)).toBe('method-not-allowed');
    }
  }
  expect(read('.well-known/dots/hb', get)).toBe('method-not-allowed');
  expect(read('.well-known/dots/hb', del)).toBe('method-not-allowed');
});

test('S-023 a client’s path is one option each, cuid before mid, and no cdid', () => {
  const texts = (options: ReturnType<typeof configPath>): string[] | undefined =>
    textOptions(options, OPTION.uriPath);
  expect(texts(mitigatePath('dz6pHjaADkaFTbjr0JGBpw' as Cuid, 123 as Mid))).toEqual([
    '.well-known',
    'dots',
    'mitigate',
    'cuid=dz6pHjaADkaFTbjr0JGBpw',
    'mid=123',
  ]);
  expect(texts(configPath(7 as Sid))).toEqual(['.well-known', 'dots', 'config', 'sid=7']);
  expect(texts(configPath())).toEqual(['.well-known', 'dots', 'config']);
  expect(texts(heartbeatPath())).toEqual(['.well-known', 'dots', 'hb']);
});

test('S-048 mid before cuid is 4.00', () => {
  expect(mitigate('/mid=1/cuid=x', put)).toBe('cuid: out of order, which is cdid, cuid, mid');
});

test('S-068 repeated and foreign parameters are 4.00', () => {
  expect(mitigate('/cuid=x/cuid=x/mid=1', put)).toBe('cuid: stands twice');
  expect(mitigate('/cuid=x/mid=1/mid=2', put)).toBe('mid: stands twice');
  for (const foreign of ['sid=1', 'foo=1', 'foo', '', '=', 'CUID=x', ' cuid=x']) {
    expect(mitigate(`/cuid=x/mid=1/${foreign}`, put)).toContain('a parameter other than cdid, cuid, mid');
  }
});

test('S-159 S-229 empty parameters are 4.00', () => {
  for (const code of [get, put, del]) {
    expect(mitigate('/cuid=', code)).toBe('cuid: empty');
    expect(mitigate('/cuid=x/mid=', code)).toBe('mid: empty');
  }
});

test('S-062 S-067 S-158 S-230 cuid always, and mid for PUT and DELETE, else 4.00', () => {
  for (const code of [get, put, del]) {
    expect(mitigate('', code)).toBe('cuid: missing');
    expect(mitigate('/mid=1', code)).toBe('cuid: missing');
  }
  expect(mitigate('/cuid=x', put)).toBe('mid: missing');
  expect(mitigate('/cuid=x', del)).toBe('mid: missing');
  expect(mitigate('/cuid=x', get)).toEqual({ resource: 'mitigate', method: 'get', cuid: 'x' });
});

test.each(['4294967296', 'abc', '-1', '+1', '1.0', '01', '0x1', ' 1', '99999999999'])(
  'S-063 S-269 a mid or sid of %p is 4.00',
  (number) => {
    expect(mitigate(`/cuid=x/mid=${number}`, put)).toBe('mid: not a decimal number up to 4294967295');
    expect(read(`.well-known/dots/config/sid=${number}`, put)).toBe(
      'sid: not a decimal number up to 4294967295',
    );
  },
);

test('the first and the last mid', () => {
  expect(mitigate('/cuid=x/mid=0', put)).toMatchObject({ mid: 0 });
  expect(mitigate('/cuid=x/mid=4294967295', put)).toMatchObject({ mid: 4294967295 });
});

test('a cuid may be any printable text, also one with an equals sign', () => {
  expect(mitigate('/cuid=a=b/mid=1', put)).toMatchObject({ cuid: 'a=b' });
  expect(mitigate('/cuid=malformed/mid=1', put)).toMatchObject({ cuid: 'malformed' });
  expect(mitigate('/cuid=a\u0000b/mid=1', put)).toContain('not printable');
  expect(mitigate(`/cuid=${'x'.repeat(129)}/mid=1`, put)).toContain('longer than 128');
});

describe('cdid', () => {
  test('S-107 from a peer that is no trusted gateway it is ignored, wherever and however often it stands', () => {
    const plain = { resource: 'mitigate', method: 'put', cuid: 'x', mid: 1 };
    for (const path of [
      '/cdid=a/cuid=x/mid=1',
      '/cuid=x/cdid=a/mid=1',
      '/cdid=a/cdid=b/cuid=x/mid=1',
      '/cdid=/cuid=x/mid=1',
    ]) {
      expect(mitigate(path, put)).toEqual(plain);
    }
  });

  test('S-110 S-111 from a trusted gateway it is single and stands before cuid', () => {
    expect(mitigate('/cdid=a/cuid=x/mid=1', put, true)).toMatchObject({ cdid: 'a', cuid: 'x', mid: 1 });
    expect(mitigate('/cuid=x/mid=1', put, true)).not.toHaveProperty('cdid');
    expect(mitigate('/cuid=x/cdid=a/mid=1', put, true)).toContain('cdid: out of order');
    expect(mitigate('/cdid=a/cdid=b/cuid=x/mid=1', put, true)).toBe('cdid: stands twice');
    expect(mitigate('/cdid=/cuid=x/mid=1', put, true)).toBe('cdid: empty');
  });
});

test('S-268 configuration has no cuid', () => {
  expect(read('.well-known/dots/config/cuid=x/sid=1', put)).toContain('a parameter other than sid');
});

test('S-276 S-298 configuration needs a sid to be put, not to be read or deleted', () => {
  expect(read('.well-known/dots/config', put)).toBe('sid: missing');
  expect(read('.well-known/dots/config', get)).toEqual({ resource: 'config', method: 'get' });
  expect(read('.well-known/dots/config', del)).toEqual({ resource: 'config', method: 'delete' });
  expect(read('.well-known/dots/config/sid=1', del)).toMatchObject({ sid: 1 });
});

test('S-318 a heartbeat has no parameters', () => {
  expect(read('.well-known/dots/hb', put)).toEqual({ resource: 'hb', method: 'put' });
  expect(read('.well-known/dots/hb/cuid=x', put)).toBe('Uri-Path: a parameter other than none');
});
