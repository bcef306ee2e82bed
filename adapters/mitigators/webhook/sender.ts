/** One HTTP exchange with a receiver nobody trusts: addresses checked as they are used, time and size bounded. */
import { lookup } from 'node:dns';
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopback, isPublic, withoutBrackets } from './addresses.ts';

const MOST_RESPONSE_BYTES = 64 * 1024;
const EXCHANGE_MS = 5_000;

export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
}

export interface SenderOptions {
  readonly allowPrivate: boolean;
  /** PEM; the system's authorities without it. */
  readonly ca?: string;
  /** For the whole exchange; 5 s by default. */
  readonly timeoutMs?: number;
}

/** Rejects with ExchangeError: forbidden address, no answer in time, an answer too long, a redirect. */
export function createSender({ allowPrivate, ca, timeoutMs = EXCHANGE_MS }: SenderOptions) {
  return async (exchange: Exchange): Promise<Reply> => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await run(exchange, { allowPrivate, ca, signal });
    } catch (cause) {
      if (cause instanceof ExchangeError) throw cause;
      throw new ExchangeError(signal.aborted ? 'no answer in time' : (cause as Error).message, { cause });
    }
  };
}

export type Sender = ReturnType<typeof createSender>;

interface Terms {
  readonly allowPrivate: boolean;
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

async function run({ method, url, headers, body }: Exchange, terms: Terms): Promise<Reply> {
  const { allowPrivate, ca, signal } = terms;
  const isSecure = url.protocol === 'https:';
  // In the clear only within this machine.
  const mayConnect = (address: string): boolean =>
    isSecure ? allowPrivate || isPublic(address) : allowPrivate && isLoopback(address);
  const host = withoutBrackets(url.hostname);
  if (isIP(host) !== 0 && !mayConnect(host))
    throw new ExchangeError(`${host} is not an address to connect to`);
  const options: RequestOptions = {
    method,
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body).toString() },
    lookup: checkedLookup(mayConnect),
    // No connection outlives its exchange: the next one is checked again.
    agent: false,
    signal,
  };
  const request = isSecure ? httpsRequest(url, { ...options, ca }) : httpRequest(url, options);
  const response = await send(request, body);
  try {
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400)
      throw new ExchangeError(`${url.host} answers ${status}: redirects are not followed`);
    return { status, body: await readBounded(response) };
  } finally {
    response.destroy();
  }
}

/** The addresses that are checked are those that are connected to: nothing is resolved a second time. */
function checkedLookup(mayConnect: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const forbidden = error === null ? addresses.find(({ address }) => !mayConnect(address)) : undefined;
      const [first] = error === null ? addresses : [];
      if (error !== null) done(error, []);
      else if (forbidden !== undefined) done(new ExchangeError(refusal(hostname, forbidden.address)), []);
      else if (options.all === true) done(null, addresses);
      else done(null, first?.address ?? '', first?.family);
    });
  };
}

const refusal = (hostname: string, address: string): string =>
  `${hostname} is ${address}, not an address to connect to`;

function send(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    // Stays for later errors too: an unheard one would end the process.
    request.on('error', reject);
    request.end(body);
  });
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_RESPONSE_BYTES)
      throw new ExchangeError(`answers more than ${MOST_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
