import { looksLikeClientHello, parseClientHello } from '#adapters/dtls/client-hello.ts';
import { CookieSecrets } from '#adapters/dtls/cookie.ts';

interface Parts {
  readonly sessionId?: readonly number[];
  readonly cookie?: readonly number[];
  readonly extensions?: number;
  readonly random?: number;
}

/** A ClientHello in one record; `extensions` bytes follow the cookie. */
function hello({ sessionId = [], cookie = [], extensions = 20, random = 5 }: Parts = {}): Buffer {
  const body = [
    ...[0xfe, 0xfd, ...Array<number>(32).fill(random)],
    ...[sessionId.length, ...sessionId, cookie.length, ...cookie],
    ...Array<number>(extensions).fill(9),
  ];
  const message = [1, 0, 0, body.length, 0, 0, 0, 0, 0, 0, 0, body.length, ...body];
  return Buffer.from([22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 7, 0, message.length, ...message]);
}

function first(datagram: Uint8Array): Extract<ReturnType<typeof parseClientHello>, { part: 'first' }> {
  const parsed = parseClientHello(datagram);
  if (parsed?.part !== 'first') throw new Error('Not a first hello');
  return parsed;
}

describe('parseClientHello', () => {
  test('reads as far as the cookie', () => {
    const datagram = Buffer.concat([hello({ sessionId: [1, 2], cookie: [3, 4, 5] }), Buffer.alloc(9)]);
    const parsed = first(datagram);
    expect(parsed.recordLength).toBe(datagram.length - 9);
    expect([...parsed.recordSequence]).toEqual([0, 0, 0, 0, 0, 7]);
    expect([...parsed.random]).toEqual(Array<number>(32).fill(5));
    expect([...parsed.cookie]).toEqual([3, 4, 5]);
    expect(parsed.claim).toHaveLength(2 + 32 + 1 + 2);
  });

  test('needs no extensions: a first fragment ends where it ends', () => {
    const datagram = hello({ cookie: [1] });
    datagram.writeUIntBE(4000, 14, 3);
    expect(parseClientHello(datagram)?.part).toBe('first');
    datagram.writeUIntBE(100, 19, 3);
    expect(parseClientHello(datagram)).toEqual({ part: 'later' });
  });

  test.each<[string, (datagram: Buffer) => Buffer]>([
    ['is cut short', (datagram) => datagram.subarray(0, datagram.length - 1)],
    ['ends before the cookie', (datagram) => datagram.subarray(0, 40)],
    ['says a record shorter than its fragment', (datagram) => write(datagram, 12, 30)],
    ['has a fragment beyond its message', (datagram) => write(datagram, 16, 1)],
    ['has a session id of 33 bytes', (datagram) => write(datagram, 59, 33)],
    ['has a cookie beyond its end', (datagram) => write(datagram, 60, 200)],
    ['is of another protocol', (datagram) => write(datagram, 1, 3)],
    ['is encrypted', (datagram) => write(datagram, 4, 1)],
    ['is another message', (datagram) => write(datagram, 13, 2)],
    ['is no handshake', (datagram) => write(datagram, 0, 23)],
  ])('refuses what %s', (_what, damage) => {
    expect(parseClientHello(hello())).toBeDefined();
    expect(parseClientHello(damage(hello()))).toBeUndefined();
  });

  test('looks at any bytes without throwing', () => {
    for (let length = 0; length < 70; length++) {
      expect(parseClientHello(hello().subarray(0, length))).toBeUndefined();
      expect(looksLikeClientHello(hello().subarray(0, length))).toBe(length > 13);
    }
  });
});

function write(datagram: Buffer, at: number, value: number): Buffer {
  datagram[at] = value;
  return datagram;
}

describe('CookieSecrets', () => {
  const secret = (value: number): Uint8Array => new Uint8Array(32).fill(value);
  const cookieOf = (request: Uint8Array): number[] => [...request.subarray(28)];
  const asked = (secrets: CookieSecrets, parts: Parts, peer: string): number[] =>
    cookieOf(secrets.request(first(hello(parts)), peer));

  test('accepts its own cookie from the same peer with the same hello, and from nobody else', () => {
    const secrets = new CookieSecrets(secret(1));
    const cookie = asked(secrets, {}, 'peer');
    expect(cookie).toHaveLength(20);
    expect(secrets.isValid(first(hello({ cookie })), 'peer')).toBe(true);
    expect(secrets.isValid(first(hello({ cookie })), 'other')).toBe(false);
    expect(secrets.isValid(first(hello({ cookie, random: 6 })), 'peer')).toBe(false);
    expect(secrets.isValid(first(hello({ cookie, sessionId: [1] })), 'peer')).toBe(false);
    expect(secrets.isValid(first(hello({ cookie: cookie.slice(1) })), 'peer')).toBe(false);
    expect(secrets.isValid(first(hello()), 'peer')).toBe(false);
    expect(new CookieSecrets(secret(2)).isValid(first(hello({ cookie })), 'peer')).toBe(false);
  });

  test('a cookie outlives one change of secret, not two', () => {
    const secrets = new CookieSecrets(secret(1));
    const cookie = asked(secrets, {}, 'peer');
    secrets.rotate(secret(2));
    expect(secrets.isValid(first(hello({ cookie })), 'peer')).toBe(true);
    expect(asked(secrets, {}, 'peer')).not.toEqual(cookie);
    secrets.rotate(secret(3));
    expect(secrets.isValid(first(hello({ cookie })), 'peer')).toBe(false);
  });

  test('the request is a HelloVerifyRequest in a record with the hello’s sequence number', () => {
    const request = Buffer.from(new CookieSecrets(secret(1)).request(first(hello()), 'peer'));
    expect(request.subarray(0, 28).toString('hex')).toBe(
      ['16feff0000', '000000000007', '0023', '03000017', '0000', '000000000017', 'feff14'].join(''),
    );
    expect(request).toHaveLength(48);
  });
});
