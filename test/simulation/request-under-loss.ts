/** One mitigation request of each of many clients, at a moment of its own, while both directions lose datagrams. */
import { seededRandom } from '#test/support/seeded-random.ts';
import { put } from './asking.ts';
import { CALM } from './lossy-path.ts';
import { Simulation } from './simulation.ts';

export interface Run {
  readonly seed: number;
  /** From the first copy of the request to the decision; Infinity when there was none. */
  readonly decidedAfterMs: number;
  /** To the answer at the client. */
  readonly answeredAfterMs: number;
  /** Every decision the domain took. */
  readonly answers: readonly string[];
}

export interface LossSettings {
  /** Probability, each way by itself. */
  readonly loss: number;
  /** What the handshake told the client of the round trip; absent: nothing. */
  readonly handshakeMs?: number;
  /** Seconds of session without loss, before the attack. */
  readonly calmSeconds?: number;
  /** So many seconds from the first loss on, at a random moment of its own, each client asks. */
  readonly within: number;
}

const GIVE_UP_MS = 60_000;

export async function requestsUnderLoss(
  seeds: readonly number[],
  settings: LossSettings,
): Promise<readonly Run[]> {
  const { loss, handshakeMs, calmSeconds = 0, within } = settings;
  const conditions = { ...CALM, loss: { toServer: loss, toClient: loss } };
  const simulation = await Simulation.open();
  try {
    const runs: (() => Run)[] = [];
    for (const seed of seeds) {
      const client = await simulation.connect(seed, CALM, handshakeMs);
      simulation.at(calmSeconds, () => {
        client.path.conditions = conditions;
      });
      let askedAt = Infinity;
      let answeredAt = Infinity;
      const ask = async (): Promise<void> => {
        askedAt = simulation.world.nowMs;
        const answer = await client.session.request(put(client, { mid: 1, host: 1 }), GIVE_UP_MS);
        if (answer.ok && answer.value.code >> 5 === 2) answeredAt = simulation.world.nowMs;
      };
      simulation.at(calmSeconds + seededRandom(seed)() * within, () => void ask());
      runs.push(() => ({
        seed,
        decidedAfterMs: (client.decided[0]?.at ?? Infinity) - askedAt,
        answeredAfterMs: answeredAt - askedAt,
        answers: client.decided.map(({ answer }) => answer.result),
      }));
    }
    await simulation.run(calmSeconds + within + GIVE_UP_MS / 1000 + 1);
    return runs.map((run) => run());
  } finally {
    await simulation.close();
  }
}
