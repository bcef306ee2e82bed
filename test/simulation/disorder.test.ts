/**
 * A path that loses a fifth, doubles a third, and delays by up to 3 s, so that copies of a request overtake those of the
 * next: whatever arrives when, there is one decision, and the newest request wins.
 */
import { nextMid } from '#core/client/mid-sequence.ts';
import { METHOD } from '#core/coap/code.ts';
import { OPTION } from '#core/coap/option-number.ts';
import { textOptions } from '#core/coap/options.ts';
import { decodeUdp } from '#core/coap/udp-message.ts';
import { put } from './asking.ts';
import { chosenSeeds } from './seeds.ts';
import { type SimulatedClient, Simulation } from './simulation.ts';

const SEEDS = chosenSeeds();
const WILD = { loss: { toServer: 0.2, toClient: 0.2 }, duplication: 0.3, delayMs: 20, jitterMs: 3_000 };
const REQUESTS = 3;
const GAP_SECONDS = 0.7;

let simulation: Simulation;
const clients: SimulatedClient[] = [];

/** Three requests for the same address shortly after another, each with the next mid, none waiting for an answer. */
function ask(client: SimulatedClient): void {
  let last: number | undefined;
  for (let count = 0; count < REQUESTS; count++)
    simulation.at(count * GAP_SECONDS, () => {
      const mid = nextMid(last, true);
      if (mid === undefined) throw new Error('no mid is left');
      last = mid;
      void client.session.request(put(client, { mid, host: 1 }), 60_000);
    });
}

beforeAll(async () => {
  simulation = await Simulation.open();
  for (const seed of SEEDS) {
    const client = await simulation.connect(seed, WILD, 200);
    ask(client);
    clients.push(client);
  }
  await simulation.run(90);
}, 300_000);

afterAll(() => simulation.close());

/** Fails with the seeds of the clients that are not as `isFine` wants them. */
async function all(isFine: (client: SimulatedClient) => boolean | Promise<boolean>): Promise<void> {
  const seeds: number[] = [];
  for (const client of clients) if (!(await isFine(client))) seeds.push(client.seed);
  if (seeds.length > 0)
    throw new Error(`${seeds.length} of ${clients.length}: TOCSIN_SEED=${seeds.join(' ')}`);
}

const putsOf = ({ decided }: SimulatedClient, mid: number) =>
  decided.filter(({ command }) => command.type === 'put' && command.mid === mid);

test('a datagram that arrives twice is decided once', async () => {
  await all(({ path, decided }) => {
    const ids = path.sent.toServer.flatMap(({ bytes }) => {
      const message = decodeUdp(bytes);
      if (!message.ok || message.value.code !== METHOD.put) return [];
      const segments = textOptions(message.value.options, OPTION.uriPath) ?? [];
      return segments.includes('mitigate') ? [message.value.messageId] : [];
    });
    return new Set(ids).size === ids.length && decided.length <= ids.length;
  });
});

test('no mid is made twice, and none stands for two requests', async () => {
  await all((client) =>
    [1, 2, 3].every((mid) => {
      const puts = putsOf(client, mid);
      const scopes = new Set(
        puts.map(({ command }) => (command.type === 'put' ? JSON.stringify(command.scope) : '')),
      );
      return puts.filter(({ answer }) => answer.result === 'created').length <= 1 && scopes.size <= 1;
    }),
  );
});

test('the newest request is the one that is kept, whichever came last', async () => {
  await all(async (client) => {
    const newest = await client.mitigation(REQUESTS);
    const older = [await client.mitigation(1), await client.mitigation(2)];
    return (
      newest?.desired === 'present' &&
      newest.removedAt === undefined &&
      older.every((mitigation) => mitigation === undefined || mitigation.desired === 'absent')
    );
  });
});

test('what is handed to the mitigators ends with the newest as well', async () => {
  const outbox = await simulation.world.outbox.pending(100_000);
  await all(async (client) => {
    const { domainId } = client;
    const newest = outbox.filter((entry) => entry.domainId === domainId && entry.mid === REQUESTS).at(-1);
    return newest?.generation === (await client.mitigation(REQUESTS))?.generation;
  });
});
