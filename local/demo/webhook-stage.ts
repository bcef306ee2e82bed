/**
 * For machines without network namespaces: real datagrams over loopback to a stand-in for a scrubbing centre, which the
 * provider reaches by webhook. It delivers what it receives to the victim, or, while it is asked to, all but the flood.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { verify } from '#adapters/mitigators/webhook/signature.ts';
import { openSink } from '#adapters/udp/sink.ts';
import { bindHttp } from '../serve/bind-http.ts';
import { Program } from './program.ts';
import type { Rates, Stage } from './stage.ts';

const VICTIM = '192.0.2.10';
const LOOPBACK = '127.0.0.1';
const ATTACK = { packetsPerSecond: 2000, bytes: 468 } as const;
const VISITS = { packetsPerSecond: 100, bytes: 120 } as const;

/** `folder` is the demo's own: the shared secret is kept there. */
export async function makeWebhookStage(folder: string): Promise<Stage> {
  const secret = randomBytes(24).toString('hex');
  const secretFile = join(folder, 'webhook-secret');
  writeFileSync(secretFile, secret, { mode: 0o600 });

  const centre = new ScrubbingCentre(secret);
  const sink = await openSink(LOOPBACK, (bytes) => centre.receive(bytes));
  const webhook = await bindHttp(createServer(centre.answer), LOOPBACK, 0, 'http');
  const senders: Program[] = [];
  const send = (traffic: typeof ATTACK | typeof VISITS): Program => {
    const sender = new Program(join(import.meta.dirname, 'traffic.ts'), [
      `--from=${LOOPBACK}`,
      '--from-port=0',
      `--to=${LOOPBACK}`,
      `--to-port=${sink.port}`,
      `--pps=${traffic.packetsPerSecond}`,
      `--bytes=${traffic.bytes}`,
    ]);
    senders.push(sender);
    return sender;
  };
  let attack: Program | undefined;
  return {
    about:
      'without network namespaces: real datagrams go over loopback to a stand-in for a scrubbing centre, asked by webhook',
    victim: VICTIM,
    providerHost: LOOPBACK,
    agentNamespace: undefined,
    config: `terminatingSeconds: 5
mitigators:
  scrubber: { driver: webhook, url: '${webhook.url}/dots', secretFile: '${secretFile}', allowPrivate: true, pollSeconds: 1 }
domains:
  demo: { mitigators: [ { name: scrubber, profile: divert } ] }
`,
    startVisitors: () => void send(VISITS),
    startAttack: () => {
      attack = send(ATTACK);
    },
    stopAttack: async () => {
      await attack?.stop();
    },
    measure: () => Promise.resolve(centre.measure()),
    hasFilters: () => Promise.resolve(centre.isScrubbing),
    close: async () => {
      await Promise.all(senders.map((sender) => sender.stop()));
      await Promise.all([sink.close(), webhook.close()]);
    },
  };
}

class ScrubbingCentre {
  isScrubbing = false;
  readonly #secret: string;
  #dropped = { packets: 0, bytes: 0 };
  #delivered = { at: performance.now(), attack: 0, visitors: 0 };

  constructor(secret: string) {
    this.#secret = secret;
  }

  receive(bytes: number): void {
    const isAttack = bytes === ATTACK.bytes;
    if (isAttack && this.isScrubbing)
      this.#dropped = { packets: this.#dropped.packets + 1, bytes: this.#dropped.bytes + bytes };
    else if (isAttack) this.#delivered.attack++;
    else this.#delivered.visitors++;
  }

  /** What was delivered to the victim since the last call, per second. */
  measure(): Rates {
    const { at, attack, visitors } = this.#delivered;
    const now = performance.now();
    const seconds = (now - at) / 1000;
    this.#delivered = { at: now, attack: 0, visitors: 0 };
    return { attack: Math.round(attack / seconds), visitors: Math.round(visitors / seconds) };
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const signature = String(request.headers['x-dots-signature']);
      const isGenuine = verify(signature, this.#secret, body, Math.floor(Date.now() / 1000));
      if (isGenuine) this.#obey(String(request.headers['x-dots-event']));
      response.writeHead(isGenuine ? 200 : 401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          state: 'active',
          statusUrl: `http://${request.headers.host ?? ''}/status`,
          metrics: {
            bytesDropped: this.#dropped.bytes.toString(),
            pktsDropped: this.#dropped.packets.toString(),
          },
        }),
      );
    });
  };

  #obey(event: string): void {
    if (event === 'mitigation.ensure') this.isScrubbing = true;
    if (event === 'mitigation.remove') this.isScrubbing = false;
  }
}
