/** Our endpoint and libcoap, each as client and as server, over UDP and TCP on loopback, without security. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EndpointHandle, EndpointHandlers } from '#adapters/endpoint-driver/endpoint-handle.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import type { CoapTrace } from '#core/coap/endpoint-io.ts';
import type { CoapOption, Request, Response } from '#core/coap/message.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeTextOption, makeUintOption, textOptions } from '#core/coap/options.ts';
import { request, response, text } from '#test/support/coap-peer.ts';
import { connectPlain, type Serve, type Served, serveTcp, serveUdp } from '#test/support/coap-sockets.ts';
import { requirePeer } from '#test/support/peer.ts';

const CLIENT = requirePeer('coap-client-notls');
const SERVER = requirePeer('coap-server-notls');
const WAIT_MS = 60_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const LARGE = LETTERS.repeat(200);
const readable = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const folder = mkdtempSync(join(tmpdir(), 'coap-libcoap-'));
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** What the client prints; it ends by itself, or is ended. */
async function run(...args: string[]): Promise<string> {
  const child = spawn(CLIENT, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: WAIT_MS });
  children.add(child);
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  await once(child, 'close');
  children.delete(child);
  return printed;
}

describe('libcoap’s client at our endpoint', () => {
  const bodies: string[] = [];
  const traces: CoapTrace[] = [];
  const confirmable: boolean[] = [];
  let gone = 0;

  const resources: Serve = (handle) => ({
    request: (exchange, asked, observe) => {
      confirmable.push(asked.confirmable);
      const [name] = textOptions(asked.options, OPTION.uriPath) ?? [];
      const answer = (payload: string, code: number = RESPONSE.content, options: CoapOption[] = []): void =>
        handle().respond(exchange, response(code, { payload: text(payload), options }));
      switch (name) {
        case 'large':
          answer(LARGE);
          break;
        case 'slow':
          setTimeout(() => answer('at last'), 1200);
          break;
        case 'echo':
          bodies.push(readable(asked.payload));
          answer(readable(asked.payload), RESPONSE.changed);
          break;
        case 'count':
        case 'grow':
          answer(name === 'grow' ? LARGE : 'count 0', RESPONSE.content, [makeUintOption(OPTION.observe, 0)]);
          if (observe === 'register') count(handle(), exchange, name);
          break;
        default:
          answer('no such resource', RESPONSE.notFound);
      }
    },
    observerGone: () => {
      gone++;
    },
    trace: (event) => traces.push(event),
  });

  /** Three notifications, one each 300 ms. */
  function count(handle: EndpointHandle, exchange: number, name: string): void {
    for (const value of [1, 2, 3])
      setTimeout(() => {
        const payload = text(name === 'grow' ? `${value}${LARGE}` : ` count ${value}`);
        handle.notify(exchange, response(RESPONSE.content, { payload }), false);
      }, value * 300);
  }

  let udp: Served;
  let tcp: Served;
  beforeAll(async () => {
    udp = await serveUdp(resources);
    tcp = await serveTcp(resources);
  });
  afterAll(() => {
    udp.close();
    tcp.close();
  });
  beforeEach(() => {
    bodies.length = 0;
    traces.length = 0;
    confirmable.length = 0;
    gone = 0;
  });
  const uri = (path: string): string => `coap://127.0.0.1:${udp.port}/${path}`;
  const tcpUri = (path: string): string => `coap+tcp://127.0.0.1:${tcp.port}/${path}`;

  test('Confirmable and Non-confirmable requests, and one not found', async () => {
    expect(await run('-m', 'put', '-e', 'hello', uri('echo'))).toContain('hello');
    expect(await run('-N', '-m', 'put', '-e', 'again', uri('echo'))).toContain('again');
    expect(await run('-m', 'get', uri('nothing'))).toContain('4.04 no such resource');
    expect(confirmable).toEqual([true, false, true]);
    expect(traces).toEqual([]);
  });

  test('P-052 an answer that takes longer than the acknowledgement', async () => {
    expect(await run('-m', 'get', uri('slow'))).toContain('at last');
    expect(traces).toEqual([]);
  });

  test.each([[[]], [['-b', '64']], [['-b', '1024']], [['-N', '-b', '256']]])(
    'P-153 a large body is fetched in blocks: %j',
    async (args) => {
      expect(await run(...args, '-m', 'get', uri('large'))).toContain(LARGE);
    },
    WAIT_MS,
  );

  test.each([[[]], [['-b', '64']], [['-b', '1024']], [['-N', '-b', '512']]])(
    'P-164 a large body is sent in blocks and comes back in blocks: %j',
    async (args) => {
      const file = join(folder, 'body');
      writeFileSync(file, LARGE);
      expect(await run(...args, '-m', 'put', '-f', file, uri('echo'))).toContain(LARGE);
      expect(bodies).toEqual([LARGE]);
    },
    WAIT_MS,
  );

  test(
    'P-124 P-128 observe: every notification arrives, and the client’s cancellation is understood',
    async () => {
      const printed = await run('-s', '2', '-m', 'get', uri('count'));
      expect(printed).toContain('count 0 count 1 count 2 count 3');
      expect(gone).toBe(1);
    },
    WAIT_MS,
  );

  test(
    'P-179 observe: the rest of a large notification is fetched',
    async () => {
      const printed = await run('-s', '2', '-m', 'get', uri('grow'));
      for (const value of ['', 1, 2, 3]) expect(printed).toContain(`${value}${LARGE}`);
    },
    WAIT_MS,
  );

  test(
    'the first two datagrams of the client are lost: the body arrives once',
    async () => {
      expect(await run('-l', '1,2', '-m', 'put', '-e', 'third time', uri('echo'))).toContain('third time');
      expect(bodies).toEqual(['third time']);
    },
    WAIT_MS,
  );

  test(
    'a third of the client’s datagrams is lost: a large body arrives all the same',
    async () => {
      const file = join(folder, 'body');
      writeFileSync(file, LARGE);
      expect(await run('-l', '30%', '-m', 'put', '-f', file, uri('echo'))).toContain(LARGE);
      expect(bodies).toEqual([LARGE]);
    },
    2 * WAIT_MS,
  );

  test(
    'P-243 P-242 over TCP: small, large both ways, and observed',
    async () => {
      expect(await run('-m', 'put', '-e', 'hello', tcpUri('echo'))).toContain('hello');
      expect(await run('-m', 'get', tcpUri('large'))).toContain(LARGE);
      const file = join(folder, 'body');
      writeFileSync(file, LARGE);
      expect(await run('-m', 'put', '-f', file, tcpUri('echo'))).toContain(LARGE);
      expect(await run('-s', '2', '-m', 'get', tcpUri('count'))).toContain('count 0 count 1 count 2 count 3');
      expect(bodies).toEqual(['hello', LARGE]);
    },
    WAIT_MS,
  );

  test(
    'P-254 over TCP a client that takes 600 bytes gets blocks',
    async () => {
      expect(await run('-X', '600', '-m', 'get', tcpUri('large'))).toContain(LARGE);
    },
    WAIT_MS,
  );
});

describe('our endpoint at libcoap’s server', () => {
  let port: number;
  let server: ChildProcess;
  beforeAll(async () => {
    port = await freePort();
    server = spawn(SERVER, ['-A', '127.0.0.1', '-p', String(port), '-d', '10'], { stdio: 'ignore' });
    children.add(server);
    await answering();
  });
  afterAll(async () => {
    server.kill();
    await once(server, 'close');
    children.delete(server);
  });

  async function freePort(): Promise<number> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    return port;
  }

  /** The server is there when it answers. */
  async function answering(): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const printed = await run('-B', '1', '-m', 'get', `coap://127.0.0.1:${port}/time`);
      if (/\d\d:\d\d/.test(printed)) return;
      await pause(100);
    }
    throw new Error('coap-server-notls does not answer');
  }

  type Outcome = { readonly response: Response; readonly more: boolean } | { readonly failed: string };

  class Client {
    readonly outcomes: Outcome[] = [];
    readonly traces: CoapTrace[] = [];
    handle: EndpointHandle | undefined;
    #wake: (() => void) | undefined;

    handlers(): Partial<EndpointHandlers> {
      return {
        response: (_exchange, answer, more) => this.#note({ response: answer, more }),
        failed: (_exchange, reason) => this.#note({ failed: reason }),
        trace: (event) => this.traces.push(event),
      };
    }

    async until(count: number): Promise<Outcome> {
      while (this.outcomes.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
      const outcome = this.outcomes[count - 1];
      if (outcome === undefined) throw new Error('unreachable');
      return outcome;
    }

    #note(outcome: Outcome): void {
      this.outcomes.push(outcome);
      this.#wake?.();
    }
  }

  async function connected(
    transport: 'udp' | 'tcp',
    use: (client: Client, handle: EndpointHandle) => Promise<void>,
  ) {
    const client = new Client();
    const handle = await connectPlain(transport, port, () => client.handlers());
    try {
      await use(client, handle);
    } finally {
      handle.close();
    }
  }

  const path = (name: string): CoapOption => makeTextOption(OPTION.uriPath, name);
  const payloadOf = (outcome: Outcome): string =>
    'response' in outcome ? readable(outcome.response.payload) : outcome.failed;
  const get = (name: string, changes: Partial<Request> = {}): Request =>
    request(METHOD.get, { options: [path(name)], ...changes });

  test.each([
    ['udp', true],
    ['udp', false],
    ['tcp', true],
  ] as const)('a request over %s, confirmable %s', async (transport, confirmable) => {
    await connected(transport, async (client, handle) => {
      handle.send(get('time', { confirmable }));
      expect(payloadOf(await client.until(1))).toMatch(/\d\d:\d\d:\d\d/);
      expect(client.traces).toEqual([]);
    });
  });

  test(
    'P-051 a separate response',
    async () => {
      await connected('udp', async (client, handle) => {
        handle.send(request(METHOD.get, { options: [path('async'), makeTextOption(OPTION.uriQuery, '2')] }));
        expect(payloadOf(await client.until(1))).toBe('done');
      });
    },
    WAIT_MS,
  );

  test.each(['udp', 'tcp'] as const)('P-154 a large body comes in blocks over %s', async (transport) => {
    await connected(transport, async (client, handle) => {
      handle.send(get('example_data'));
      const body = payloadOf(await client.until(1));
      expect(body.length).toBeGreaterThan(1200);
      expect(body).toMatch(/^(?:[a-z]123456789)+$/);
    });
  });

  test.each([
    ['udp', true],
    ['udp', false],
    ['tcp', true],
  ] as const)(
    'P-169 a large body is stored in blocks over %s, confirmable %s, and read back',
    async (transport, confirmable) => {
      await connected(transport, async (client, handle) => {
        const name = `stored-${transport}-${confirmable}`;
        const options = [path(name), makeUintOption(OPTION.contentFormat, 0)];
        handle.send(request(METHOD.put, { options, payload: text(LARGE), confirmable }));
        expect(await client.until(1)).toMatchObject({ response: { code: RESPONSE.created } });
        handle.send(get(name, { confirmable }));
        expect(payloadOf(await client.until(2))).toBe(LARGE);
      });
    },
    WAIT_MS,
  );

  test.each(['udp', 'tcp'] as const)(
    'P-120 P-306 the clock is observed over %s, until it is cancelled',
    async (transport) => {
      await connected(transport, async (client, handle) => {
        const observe = (value: number) => [makeUintOption(OPTION.observe, value), path('time')];
        const observation = handle.send(request(METHOD.get, { options: observe(0) }));
        const clocks = [
          payloadOf(await client.until(1)),
          payloadOf(await client.until(2)),
          payloadOf(await client.until(3)),
        ];
        expect(new Set(clocks).size).toBe(3);
        handle.send(request(METHOD.get, { options: observe(1) }), observation);
        for (let count = 4; ; count++) {
          const outcome = await client.until(count);
          if ('response' in outcome && !outcome.more) break;
          expect(count).toBeLessThan(8);
        }
        const before = client.outcomes.length;
        await pause(2500);
        expect(client.outcomes).toHaveLength(before);
      });
    },
    WAIT_MS,
  );

  test(
    'P-119 a forgotten observation: the server gives up after our reset',
    async () => {
      await connected('udp', async (client, handle) => {
        const options = [makeUintOption(OPTION.observe, 0), path('time')];
        const observation = handle.send(request(METHOD.get, { options }));
        await client.until(2);
        handle.forget(observation);
        await pause(3500);
        expect(client.outcomes).toHaveLength(2);
        expect(client.traces.filter(({ kind }) => kind === 'reset-sent')).toHaveLength(1);
      });
    },
    WAIT_MS,
  );
});
