import { keepOneCuid } from '#agent-edge/cli/one-cuid.ts';
import type { Answered } from '#agent-edge/client/dots-client.ts';
import type { Cuid, Mid } from '#core/model/identifiers.ts';
import { EMPTY_SCOPE } from '#core/model/scope.ts';
import type { Status } from '#core/model/status.ts';
import type { ReceivedStatusEntry } from '#core/signal/mitigation-status-codec.ts';

const [former, other, derived] = ['former', 'other', 'derived'] as unknown as [Cuid, Cuid, Cuid];
type Known = Answered<readonly ReceivedStatusEntry[]>;
const known = (...statuses: readonly Status[]): Known => ({
  type: 'done',
  code: '2.05',
  value: statuses.map((status, index) => ({
    mid: (index + 1) as Mid,
    scope: EMPTY_SCOPE,
    triggerMitigation: true,
    status,
  })),
});

/** A client that has asked under `asked`, and is about to ask under `cuid`. */
function agent(asked: Cuid | undefined, cuid: Cuid, answer: Known = known()) {
  const [noted, looked]: [Cuid[], Cuid[]] = [[], []];
  return {
    noted,
    looked,
    client: {
      cuid,
      statusUnder: (under: Cuid) => {
        looked.push(under);
        return Promise.resolve(answer);
      },
    },
    state: {
      askedUnder: () => asked,
      noteAskedUnder: (_server: string, _derived: Cuid, now: Cuid) => void noted.push(now),
    },
    target: { server: 'dots.example:4646', credentials: { derivedCuid: derived } },
  };
}

test('the first cuid, and the same one again, cost no question', async () => {
  const first = agent(undefined, former);
  await keepOneCuid(first);
  expect([first.looked, first.noted]).toEqual([[], [former]]);
  const again = agent(former, former);
  await keepOneCuid(again);
  expect([again.looked, again.noted]).toEqual([[], []]);
});

test.each(['inProgress', 'mitigated', 'stopped', 'exceededCapability', 'signalLoss'] as const)(
  'S-054 with a mitigation %s under the former cuid there is no other one',
  async (status) => {
    const changing = agent(former, other, known('activeButTerminating', status));
    await expect(keepOneCuid(changing)).rejects.toThrow(
      /former.*active: 2\n.*tocsin withdraw --all --cuid former/,
    );
    expect([changing.looked, changing.noted]).toEqual([[former], []]);
  },
);

test.each<[string, Known]>([
  ['nothing is known', { type: 'refused', code: '4.04', diagnostic: 'not found' }],
  ['all is withdrawn', known('activeButTerminating', 'withdrawn', 'terminated')],
])('it changes where %s under the former one', async (_what, answer) => {
  const changing = agent(former, other, answer);
  await keepOneCuid(changing);
  expect(changing.noted).toEqual([other]);
});

test('without an answer nothing is known, and nothing changes', async () => {
  const changing = agent(former, other, { type: 'unanswered', reason: 'timeout' });
  await expect(keepOneCuid(changing)).rejects.toThrow();
  expect(changing.noted).toEqual([]);
});
