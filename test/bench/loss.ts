/** How long a request takes when both directions lose 30 %: 1,000 simulated runs, the same on every machine. */
import { requestsUnderLoss } from '#test/simulation/request-under-loss.ts';
import { type Benchmark, type Figure, percentile, rounded } from './figure.ts';

const RUNS = 1_000;
const LOSS = 0.3;
const WITHIN_MS = 10_000;

export const loss: Benchmark = {
  name: 'loss',
  about: `from request to decision when ${LOSS * 100} % is lost each way, ${RUNS} simulated runs`,
  async run(progress) {
    progress('clients that know nothing of the round trip');
    const without = await figures('no estimate', {});
    progress('clients that know it from their handshake');
    return [...without, ...(await figures('round trip known', { handshakeMs: 150 }))];
  },
};

async function figures(name: string, known: { readonly handshakeMs?: number }): Promise<readonly Figure[]> {
  const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
  const runs = await requestsUnderLoss(seeds, { loss: LOSS, within: 0, ...known });
  const sorted = (times: readonly number[]): number[] => [...times].sort((left, right) => left - right);
  const decided = sorted(runs.map(({ decidedAfterMs }) => decidedAfterMs));
  const answered = sorted(runs.map(({ answeredAfterMs }) => answeredAfterMs));
  const inTime = decided.filter((time) => time < WITHIN_MS).length / RUNS;
  const of = (what: string, times: readonly number[], fraction: number): Figure => ({
    name: `${what}, ${name}, p${fraction * 100}`,
    value: rounded(percentile(times, fraction)),
    unit: 'ms',
  });
  return [
    {
      name: `decided within 10 s, ${name}`,
      value: rounded(inTime * 100),
      unit: '%',
      target: { says: 'at least 99 %', met: inTime >= 0.99 },
    },
    of('request to decision', decided, 0.5),
    of('request to decision', decided, 0.99),
    of('request to answer', answered, 0.5),
    of('request to answer', answered, 0.99),
  ];
}
