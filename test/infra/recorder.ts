/** Stands between a function and an engine, and keeps what went by. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Call } from './needs.ts';

export interface Recorder {
  readonly endpoint: string;
  /** What has gone by since the last time this was asked. */
  readonly take: () => readonly Call[];
  readonly stop: () => Promise<void>;
}

export async function startRecorder(engine: string): Promise<Recorder> {
  let calls: Call[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await buffer(incoming);
      calls.push({ target: String(incoming.headers['x-amz-target']), body: body.toString() });
      const answer = await forward(engine, incoming, body);
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    })().catch((error: unknown) => {
      response.writeHead(502).end(String(error));
    });
  });
  const endpoint = await listen(server);
  return {
    endpoint,
    take: () => {
      const taken = calls;
      calls = [];
      return taken;
    },
    stop: () => stop(server),
  };
}

/** An endpoint of Lambda's Invoke that hands the payload to `invoke`, by the function's name. */
export async function startInvocations(
  invoke: (functionName: string, event: unknown) => Promise<unknown>,
): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const name = /\/functions\/([^/]+)\/invocations/.exec(incoming.url ?? '')?.[1] ?? '';
      const event: unknown = JSON.parse((await buffer(incoming)).toString());
      const answer = await invoke(decodeURIComponent(name), event);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })().catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  return { endpoint: await listen(server), stop: () => stop(server) };
}

async function forward(engine: string, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { method, headers } = incoming;
  const outgoing = request(new URL(incoming.url ?? '/', engine), { method: method ?? 'POST', headers });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
