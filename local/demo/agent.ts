/**
 * The customer's agent of the demo, a process of its own so that it can stand at the customer's: one session over DTLS for
 * everything. Orders come as JSON lines on standard input, events go as JSON lines to standard output.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readCredentials } from '#agent-edge/client/credentials.ts';
import { connect, type DotsClient } from '#agent-edge/client/dots-client.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';

export type AgentOrder =
  | {
      readonly order: 'mitigate';
      readonly mid: number;
      readonly prefix: string;
      readonly lifetimeSeconds: number;
    }
  | { readonly order: 'withdraw'; readonly mid: number };

export type AgentEvent =
  | { readonly event: 'connected'; readonly transport: 'udp' | 'tcp'; readonly cuid: string }
  | {
      readonly event: 'answered';
      readonly order: AgentOrder['order'];
      readonly code: string;
      readonly detail: unknown;
    }
  | {
      readonly event: 'notified';
      readonly code: string;
      /** IANA's status name as the model has it; absent once the mitigation is gone. */
      readonly status?: string | number;
      readonly packetsDropped?: string;
    };

const WITHIN_MS = 15_000;

const { values } = parseArgs({
  options: {
    host: { type: 'string' },
    port: { type: 'string' },
    ca: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const say = (event: AgentEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const credentials = readCredentials({
  ca: values.ca,
  cert: values.cert,
  key: values.key,
  serverName: 'localhost',
});
const port = Number(values.port);
const client = await connect({
  host: values.host ?? '',
  udpPort: port,
  tcpPort: port,
  transport: 'udp',
  credentials,
  timeoutMs: WITHIN_MS,
  cuid: credentials.derivedCuid,
  answerWithinMs: WITHIN_MS,
});
say({ event: 'connected', transport: client.transport, cuid: client.cuid });
for await (const line of createInterface({ input: process.stdin }))
  await obey(client, JSON.parse(line) as AgentOrder);
client.close();
process.exit(0);

async function obey(agent: DotsClient, order: AgentOrder): Promise<void> {
  const mid = order.mid as Mid;
  if (order.order === 'withdraw') {
    const outcome = await agent.withdraw(mid);
    say({
      event: 'answered',
      order: 'withdraw',
      code: 'code' in outcome ? outcome.code : 'no answer',
      detail: outcome,
    });
    return;
  }
  const outcome = await agent.requestMitigation(mid, {
    scope: { ...EMPTY_SCOPE, targetPrefixes: [order.prefix] },
    lifetimeSeconds: order.lifetimeSeconds,
    triggerMitigation: true,
  });
  say({
    event: 'answered',
    order: 'mitigate',
    code: 'code' in outcome ? outcome.code : 'no answer',
    detail: outcome,
  });
  agent.watch({ mid }, (notification) => {
    if (notification.type !== 'done') {
      say({ event: 'notified', code: notification.code });
      return;
    }
    for (const { status, pktsDropped } of notification.value)
      say({
        event: 'notified',
        code: notification.code,
        ...(status === undefined ? {} : { status }),
        ...(pktsDropped === undefined ? {} : { packetsDropped: pktsDropped.toString() }),
      });
  });
}
