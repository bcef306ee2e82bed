/** The operator's plain-HTTP listener: `/healthz` and `/metrics`, nothing else. */
import { createServer } from 'node:http';
import { type BoundServer, bindHttp } from './bind-http.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined when all is well, else what is wrong. */
  health(): string | undefined;
  /** Prometheus text exposition, version 0.0.4. */
  metrics(): string;
}

const TEXT = 'text/plain; charset=utf-8';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export async function listenAdmin(options: AdminOptions): Promise<BoundServer> {
  const server = createServer((request, response) => {
    const { status, type, body } = answer(options, request.method ?? '', request.url ?? '');
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  return bindHttp(server, options.host, options.port, 'http');
}

function answer(options: AdminOptions, method: string, url: string): Page {
  const [path] = url.split('?');
  if (path !== '/healthz' && path !== '/metrics')
    return { status: 404, type: TEXT, body: 'there is /healthz and /metrics\n' };
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, type: TEXT, body: 'GET is all that is answered here\n' };
  if (path === '/metrics') return { status: 200, type: PROMETHEUS, body: options.metrics() };
  const trouble = options.health();
  return trouble === undefined
    ? { status: 200, type: TEXT, body: 'ok\n' }
    : { status: 503, type: TEXT, body: `${trouble}\n` };
}
