import { awaitMitigation, type Waiting } from '#agent-edge/cli/await-mitigation.ts';
import type { Observation } from '#agent-edge/client/observation.ts';
import type { Outcome } from '#core/client/outcome.ts';
import type { Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { Status } from '#core/model/status.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';

const mid = 7 as Mid;
const entry = (status: Status): ReceivedStatusEntry => ({
  mid,
  scope: EMPTY_SCOPE,
  triggerMitigation: true,
  lifetimeSeconds: 60,
  status,
});
type Told = Outcome<readonly ReceivedStatusEntry[]>;
const told = (status: Status): Told => ({ type: 'done', code: '2.05', value: [entry(status)] });
const gone: Told = { type: 'refused', code: '4.04', diagnostic: 'mid 7 not found' };

/** A session on which the provider says this, one notification after the other. */
function session(
  ...outcomes: readonly Told[]
): Waiting & { readonly stops: number[]; readonly said: string[]; readonly asked: object[] } {
  const asked: object[] = [];
  const stops: number[] = [];
  const said: string[] = [];
  return {
    stops,
    said,
    asked,
    lost: new Promise<never>(() => undefined),
    progress: { update: (text) => said.push(text) },
    client: {
      watch: (query, notified) => {
        asked.push(query);
        for (const outcome of outcomes) queueMicrotask(() => notified(outcome, true));
        return { stop: () => Promise.resolve(void stops.push(1)) } as unknown as Observation;
      },
    },
  };
}

test('it is over as soon as the mitigation is in effect', async () => {
  const waiting = session(told('inProgress'), told('mitigated'));
  expect(await awaitMitigation(waiting, mid, 10, true)).toEqual(entry('mitigated'));
  expect(waiting.said).toEqual([
    'mitigation 7: attack-mitigation-in-progress',
    'mitigation 7: attack-successfully-mitigated',
  ]);
  expect(waiting.stops).toHaveLength(1);
});

test('S-163 during the attack only what changes is asked for', async () => {
  const waiting = session(told('mitigated'));
  await awaitMitigation(waiting, mid, 10, true);
  expect(waiting.asked).toEqual([{ mid, filter: 'n' }]);
});

test.each<[Told, string]>([
  [told('exceededCapability'), 'mitigation 7 is not in effect: attack-exceeded-capability'],
  [told('withdrawn'), 'mitigation 7 is not in effect: attack-mitigation-withdrawn'],
  [gone, '4.04 mid 7 not found'],
])('it fails when it cannot be: %j', async (outcome, message) => {
  const waiting = session(told('inProgress'), outcome);
  await expect(awaitMitigation(waiting, mid, 10, true)).rejects.toThrow(message);
  expect(waiting.stops).toHaveLength(1);
});

test('it fails with the last that was heard when time is up', async () => {
  await expect(awaitMitigation(session(told('inProgress')), mid, 0.05, true)).rejects.toThrow(
    'mitigation 7 after 0.05 s: attack-mitigation-in-progress',
  );
});

test('it fails with the session', async () => {
  const waiting = { ...session(), lost: Promise.reject(new Error('the server ended the session')) };
  await expect(awaitMitigation(waiting, mid, 10, true)).rejects.toThrow('ended the session');
});
