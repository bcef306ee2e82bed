/**
 * The data channel's address: HTTPS with the client's certificate required (RFC 8783 §3.1). The channel itself is not
 * built yet, and it says so: 501 with an error body as RESTCONF forms them (RFC 8040 §7.1).
 */
import { createServer } from 'node:https';
import type { ServerCredentials } from '../pki/credentials.ts';
import { type BoundServer, bindHttp } from './bind-http.ts';

const BODY = JSON.stringify({
  'ietf-restconf:errors': {
    error: [
      {
        'error-type': 'protocol',
        'error-tag': 'operation-not-supported',
        'error-message': 'The data channel is not available on this server yet',
      },
    ],
  },
});

export async function listenData(
  credentials: ServerCredentials,
  host: string,
  port: number,
): Promise<BoundServer> {
  const server = createServer(
    {
      ca: credentials.ca,
      cert: credentials.server.certificate,
      key: credentials.server.key,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (_request, response) => {
      response.writeHead(501, {
        'content-type': 'application/yang-data+json',
        'content-length': Buffer.byteLength(BODY),
      });
      response.end(BODY);
    },
  );
  return bindHttp(server, host, port, 'https');
}
