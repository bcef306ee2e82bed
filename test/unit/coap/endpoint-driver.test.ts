/** The driver: two of its endpoints talk over sessions in memory; deadlines of all share one timer. */
import { DeadlineHeap } from '#adapters/endpoint-driver/deadline-heap.ts';
import { createDriver } from '#adapters/endpoint-driver/endpoint-driver.ts';
import type { EndpointHandle, EndpointHandlers } from '#adapters/endpoint-driver/endpoint-handle.ts';
import { METHOD, RESPONSE } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { makeUintOption } from '#core/coap/options.ts';
import type { IdentityId } from '#core/model/identifiers.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { endpointOptions, request, response, text } from '#test/support/coap-peer.ts';
import { seededRandom } from '#test/support/seeded-random.ts';

const clock = { monotonic: () => performance.now() };

class MemorySession implements SecureSession {
  readonly transport: 'udp' | 'tcp';
  readonly remote = { address: '127.0.0.1', port: 4646 };
  readonly credential = { kind: 'raw-public-key', identityId: 'x' as IdentityId } as const;
  readonly resumed = false;
  readonly maxPayload = 1200;
  onMessage: SecureSession['onMessage'];
  onClose: SecureSession['onClose'];
  other: MemorySession | undefined;
  closed = false;
  sent = 0;

  constructor(transport: 'udp' | 'tcp') {
    this.transport = transport;
  }

  send(bytes: Uint8Array): boolean {
    const { other } = this;
    this.sent++;
    setImmediate(() => other?.onMessage?.(bytes.slice()));
    return !this.closed;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onClose?.('closed by us');
    setImmediate(() => this.other?.onClose?.('closed by the peer'));
  }
}

function sessions(transport: 'udp' | 'tcp'): [MemorySession, MemorySession] {
  const [left, right] = [new MemorySession(transport), new MemorySession(transport)];
  left.other = right;
  right.other = left;
  return [left, right];
}

/** Handlers that note every call, and let a test wait for one. */
class Notes implements EndpointHandlers {
  readonly calls: [keyof EndpointHandlers, ...unknown[]][] = [];
  readonly #waiting: (() => void)[] = [];
  onRequest: EndpointHandlers['request'] | undefined;

  request(...call: Parameters<EndpointHandlers['request']>): void {
    this.#note('request', ...call);
    this.onRequest?.(...call);
  }
  response(...call: Parameters<EndpointHandlers['response']>): void {
    this.#note('response', ...call);
  }
  failed(...call: Parameters<EndpointHandlers['failed']>): void {
    this.#note('failed', ...call);
  }
  observerGone(...call: Parameters<EndpointHandlers['observerGone']>): void {
    this.#note('observerGone', ...call);
  }
  closed(...call: Parameters<EndpointHandlers['closed']>): void {
    this.#note('closed', ...call);
  }
  trace(): void {
    return;
  }

  async until(name: keyof EndpointHandlers, count = 1): Promise<unknown[]> {
    for (;;) {
      const found = this.calls.filter(([called]) => called === name);
      const last = found[count - 1];
      if (last !== undefined) return last.slice(1);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #note(...call: [keyof EndpointHandlers, ...unknown[]]): void {
    this.calls.push(call);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function pair(transport: 'udp' | 'tcp') {
  const driver = createDriver({ clock });
  const [leftSession, rightSession] = sessions(transport);
  const [left, right] = [new Notes(), new Notes()];
  const attach = (session: MemorySession, notes: Notes, seed: number): EndpointHandle =>
    driver.attach(
      session,
      endpointOptions({ transport, separateAfterMs: 20, random: seededRandom(seed) }),
      notes,
    );
  const server = attach(rightSession, right, 2);
  const client = attach(leftSession, left, 1);
  return { driver, left, right, client, server, leftSession, rightSession };
}

test.each(['udp', 'tcp'] as const)(
  'a request over %s, answered from within the handler',
  async (transport) => {
    const { driver, left, right, client, server } = pair(transport);
    right.onRequest = (exchange, { payload }) =>
      server.respond(exchange, response(RESPONSE.content, { payload }));
    const exchange = client.send(request(METHOD.put, { payload: text('hello') }));
    expect(await left.until('response')).toEqual([
      exchange,
      response(RESPONSE.content, { payload: text('hello') }),
      false,
    ]);
    client.close();
    await right.until('closed');
    expect(driver.size).toBe(0);
  },
);

test('a handler that answers at once is not entered again before it returns', async () => {
  const { left, right, client, server, leftSession } = pair('tcp');
  const entered: string[] = [];
  right.onRequest = (exchange, { payload }) => {
    entered.push(`in ${payload[0]}`);
    server.respond(exchange, response(RESPONSE.content, { payload }));
    entered.push(`out ${payload[0]}`);
  };
  // Two requests in one piece of stream.
  const pieces: Uint8Array[] = [];
  leftSession.send = (bytes) => pieces.push(bytes) > 0;
  for (const value of [1, 2]) client.send(request(METHOD.put, { payload: Uint8Array.of(value) }));
  const whole = Uint8Array.from(pieces.flatMap((bytes) => [...bytes]));
  setImmediate(() => leftSession.other?.onMessage?.(whole));
  await left.until('response', 2);
  expect(entered).toEqual(['in 1', 'out 1', 'in 2', 'out 2']);
  client.close();
});

test('the timer runs: an answer after the empty ACK comes separately', async () => {
  const { left, right, client, server, rightSession } = pair('udp');
  right.onRequest = (exchange) => {
    setTimeout(() => server.respond(exchange, response(RESPONSE.changed)), 60);
  };
  client.send(request(METHOD.put));
  await left.until('response');
  expect(left.calls.map(([name]) => name)).toEqual(['response']);
  expect(rightSession.sent).toBe(2);
  client.close();
});

test('an observation: granted, notified, cancelled under its id', async () => {
  const { left, right, client, server } = pair('udp');
  const observe = (value: number) => [makeUintOption(OPTION.observe, value)];
  let observer = 0;
  right.onRequest = (exchange, { payload }, kind) => {
    if (kind === 'register') observer = exchange;
    server.respond(exchange, response(RESPONSE.content, { options: observe(0), payload }));
  };
  const exchange = client.send(request(METHOD.get, { options: observe(0) }));
  await left.until('response');
  server.notify(observer, response(RESPONSE.content, { payload: text('news') }), false);
  expect((await left.until('response', 2))[2]).toBe(true);
  expect(client.send(request(METHOD.get, { options: observe(1) }), exchange)).toBe(exchange);
  expect((await left.until('response', 3))[2]).toBe(false);
  expect(await right.until('observerGone')).toEqual([observer]);
  client.close();
});

test('closing fails what is open, then says so, once, and ends the session', async () => {
  for (const closeIt of ['handle', 'peer'] as const) {
    const { driver, left, client, leftSession, rightSession } = pair('tcp');
    const exchange = client.send(request(METHOD.get));
    if (closeIt === 'handle') client.close();
    else rightSession.close();
    await left.until('closed');
    client.close();
    expect(left.calls.map(([name, ...call]) => [name, call[0], call[1]]).slice(0, 1)).toEqual([
      ['failed', exchange, 'closed'],
    ]);
    expect(left.calls.map(([name]) => name)).toEqual(['failed', 'closed']);
    expect(leftSession.closed).toBe(true);
    expect(leftSession.onMessage).toBeUndefined();
    const late = client.send(request(METHOD.get));
    expect(await left.until('failed', 2)).toEqual([late, 'closed']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(driver.size).toBe(0);
  }
});

test('an Abort closes the session with its reason', async () => {
  const driver = createDriver({ clock });
  const [session, peer] = sessions('tcp');
  const heard: Uint8Array[] = [];
  peer.onMessage = (bytes) => heard.push(bytes);
  const notes = new Notes();
  driver.attach(session, endpointOptions({ transport: 'tcp' }), notes);
  peer.send(Uint8Array.of(0, METHOD.get));
  expect(await notes.until('closed')).toEqual(['the first message is not a CSM']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard.map((bytes) => bytes.includes(0xe5))).toEqual([false, true]);
  expect(session.closed).toBe(true);
});

test('the heap gives its entries in order of time, through any changes', () => {
  const random = seededRandom(5);
  const heap = new DeadlineHeap<number>();
  const entries = Array.from({ length: 200 }, (_, owner) => heap.entry(owner));
  const times = new Map<number, number>();
  for (let step = 0; step < 5000; step++) {
    const entry = entries[Math.floor(random() * entries.length)];
    if (entry === undefined) continue;
    const at = random() < 0.2 ? undefined : Math.floor(random() * 1000);
    heap.set(entry, at);
    if (at === undefined) times.delete(entry.owner);
    else times.set(entry.owner, at);
    expect(heap.size).toBe(times.size);
    expect(heap.earliest?.at).toBe(times.size === 0 ? undefined : Math.min(...times.values()));
  }
  const drained: number[] = [];
  for (let next = heap.earliest; next !== undefined; next = heap.earliest) {
    drained.push(next.at);
    heap.set(next, undefined);
  }
  expect(drained).toEqual([...times.values()].sort((left, right) => left - right));
});
