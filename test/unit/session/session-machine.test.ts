/** The states of a session: what the table says, and nothing else. */
import {
  nextSessionState,
  SESSION_TRANSITIONS,
  type SessionEvent,
  type SessionState,
} from '#core/session/session-machine.ts';

const STATES = Object.keys(SESSION_TRANSITIONS) as SessionState[];
const EVENTS: readonly SessionEvent[] = [
  'authorized',
  'mitigationActive',
  'mitigationOver',
  'heartbeatsExhausted',
  'trafficReceived',
  'ended',
];

test('the whole table', () => {
  const arrows = STATES.flatMap((from) =>
    EVENTS.map((event) => [from, event, nextSessionState(from, event)] as const)
      .filter(([, , to]) => to !== from)
      .map(([, event, to]) => `${from} -${event}-> ${to}`),
  );
  expect(arrows).toEqual([
    'connecting -authorized-> idle',
    'connecting -ended-> closed',
    'idle -mitigationActive-> mitigating',
    'idle -heartbeatsExhausted-> lost',
    'idle -ended-> closed',
    'mitigating -mitigationOver-> idle',
    'mitigating -heartbeatsExhausted-> lost',
    'mitigating -ended-> closed',
    'lost -trafficReceived-> idle',
    'lost -ended-> closed',
  ]);
});

test('closed is the end', () => {
  for (const event of EVENTS) expect(nextSessionState('closed', event)).toBe('closed');
});
