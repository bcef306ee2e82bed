/** The functions port over Lambda's HTTP API, played by a server of this test. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createLambdaFunctions } from '#adapters/lambda/functions.ts';
import type { Functions } from '#core/ports/functions.ts';
import { DEMO } from '#test/support/records.ts';

type Play = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let client: LambdaClient;
let functions: Functions;
let play: Play;
let requests: { readonly url: string | undefined; readonly body: string }[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ url: request.url, body });
      play(request, response, body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  functions = createLambdaFunctions({
    client,
    authorizerName: 'authorizer',
    mitigationRequestName: 'mitigation-request',
  });
});

afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test('payloads go out and come back as JSON, to the function of the call', async () => {
  const result = { answers: [], sv: 4, at: 1_800_000_000 };
  play = (_request, response) => response.end(JSON.stringify(result));
  expect(await functions.requestMitigation({ domainId: DEMO, commands: [{ type: 'due' }] })).toEqual(result);
  expect(requests).toEqual([
    {
      url: '/2015-03-31/functions/mitigation-request/invocations',
      body: '{"domainId":"demo","commands":[{"type":"due"}]}',
    },
  ]);
  play = (_request, response) => response.end('{"allowed":false,"reason":"revoked"}');
  expect(await functions.authorize({ identityId: 'x' })).toEqual({ allowed: false, reason: 'revoked' });
  expect(requests[1]?.url).toContain('/authorizer/');
});

test('one answer that does not come is tried again', async () => {
  play = (_request, response) => {
    if (requests.length === 2) response.end('{"allowed":false,"reason":"revoked"}');
  };
  expect(await functions.authorize({ identityId: 'x' })).toEqual({ allowed: false, reason: 'revoked' });
});

test('two answers that do not come are a typed error, within two seconds', async () => {
  play = () => undefined;
  const start = performance.now();
  await expect(functions.authorize({ identityId: 'x' })).rejects.toMatchObject({
    name: 'FunctionError',
    code: 'unreachable',
    functionName: 'authorizer',
  });
  expect(performance.now() - start).toBeLessThan(2_500);
  expect(requests).toHaveLength(2);
});

test('an error of the function is told as such, and not tried again', async () => {
  play = (_request, response) => {
    response.setHeader('x-amz-function-error', 'Unhandled');
    response.end('{"errorType":"Error","errorMessage":"boom"}');
  };
  await expect(functions.authorize({ identityId: 'x' })).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('boom') as string,
  });
  expect(requests).toHaveLength(1);
});
