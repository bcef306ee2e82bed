/** Heartbeats of one session at either end, on numbers alone. */
import { HeartbeatMonitor, type HeartbeatOptions } from '#core/session/heartbeat.ts';

const SERVER: HeartbeatOptions = { role: 'server', followPeer: false, spread: 0 };
const CLIENT: HeartbeatOptions = { ...SERVER, role: 'client' };
const every = (heartbeatInterval: number, missingHbAllowed = 3) => ({ heartbeatInterval, missingHbAllowed });

/** Runs from one deadline to the next; `on` may answer. Returns when what was decided, in seconds. */
function run(
  monitor: HeartbeatMonitor,
  until: number,
  on: (at: number) => void = () => undefined,
): [string, number][] {
  const decided: [string, number][] = [];
  for (let deadline = monitor.deadline; deadline !== undefined && deadline <= until * 1000; ) {
    const at = deadline;
    for (const { type } of monitor.advance(at)) {
      decided.push([type, at / 1000]);
      if (type === 'send') on(at);
    }
    if (monitor.deadline === at) throw new Error('a deadline that stands still');
    deadline = monitor.deadline;
  }
  return decided;
}

const sends = (decided: [string, number][]): number[] =>
  decided.filter(([type]) => type === 'send').map(([, at]) => at);

test('S-242 one heartbeat per interval, the first after at most one', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(30), 0);
  expect(sends(run(monitor, 100, () => monitor.answerReceived()))).toEqual([30, 60, 90]);
  const spread = new HeartbeatMonitor({ ...SERVER, spread: 0.5 }, every(30), 0);
  expect(sends(run(spread, 100, () => spread.answerReceived()))).toEqual([22.5, 52.5, 82.5]);
});

test('S-257 S-340 an interval of 0 sends nothing and concludes nothing, until another is in force', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(0), 0);
  expect(monitor.deadline).toBeUndefined();
  expect(monitor.advance(1e9)).toEqual([]);
  expect(monitor.silenceAllowedUntil).toBeUndefined();
  monitor.configure(every(15), 100_000);
  expect(monitor.deadline).toBe(115_000);
});

test('S-325 S-243 the client concludes from unanswered heartbeats in a row, once', () => {
  const monitor = new HeartbeatMonitor(CLIENT, every(15), 0);
  expect(run(monitor, 120).filter(([type]) => type === 'exhausted')).toEqual([['exhausted', 60]]);
});

test('S-326 any answer starts the count anew, a late one too', () => {
  const monitor = new HeartbeatMonitor(CLIENT, every(15), 0);
  let sent = 0;
  const answerEveryThird = (): void => {
    sent++;
    if (sent % 3 === 0) monitor.answerReceived();
  };
  expect(run(monitor, 300, answerEveryThird).some(([type]) => type === 'exhausted')).toBe(false);
});

test('S-333 heartbeats go on after the conclusion', () => {
  const monitor = new HeartbeatMonitor(CLIENT, every(15), 0);
  expect(sends(run(monitor, 120))).toHaveLength(8);
});

test('S-341 an answer that takes almost an interval is no miss', () => {
  const monitor = new HeartbeatMonitor(CLIENT, every(15), 0);
  for (let at = 15_000; at <= 150_000; at += 15_000) {
    expect(monitor.advance(at).map(({ type }) => type)).toEqual(['send']);
    // Just before the next one is due.
    monitor.answerReceived();
  }
});

test('S-337 the server holds on while traffic comes, whatever is unanswered', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  const decided = run(monitor, 600, (at) => monitor.trafficReceived(at));
  expect(decided.some(([type]) => type === 'exhausted')).toBe(false);
});

test('S-339 and concludes when there has been none for the whole allowance', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  run(monitor, 60, () => undefined);
  const silent = new HeartbeatMonitor(SERVER, every(15), 0);
  silent.trafficReceived(40_000);
  expect(run(silent, 200).filter(([type]) => type === 'exhausted')).toEqual([['exhausted', 85]]);
});

test('a session that comes back can be lost again', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  run(monitor, 100);
  monitor.trafficReceived(100_000);
  expect(run(monitor, 300).filter(([type]) => type === 'exhausted')).toEqual([['exhausted', 145]]);
});

test('S-320 S-321 peer-hb-status speaks of the peer’s heartbeats, not of its answers', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  const told: boolean[] = [];
  for (let at = 15_000; at <= 75_000; at += 15_000) {
    for (const decision of monitor.advance(at))
      if (decision.type === 'send') told.push(decision.peerHbStatus);
    monitor.trafficReceived(at);
    monitor.answerReceived();
  }
  expect(told).toEqual([true, false, false, false, false]);
  monitor.heartbeatReceived(true, 80_000);
  expect([monitor.peerHbStatus(109_999), monitor.peerHbStatus(110_000)]).toEqual([true, false]);
});

test('S-263 a shorter interval does not bring the next one closer than 15 seconds', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(30), 0);
  monitor.advance(30_000);
  monitor.configure(every(15), 31_000);
  expect(monitor.deadline).toBe(45_000);
  monitor.configure(every(0), 32_000);
  monitor.configure(every(15), 33_000);
  expect(monitor.deadline).toBe(45_000);
});

test('S-322 a server that is told "false" waits for the client’s next and sends right after it', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  monitor.advance(15_000);
  monitor.heartbeatReceived(false, 22_000);
  // Too early for one of ours: it waits for the client's next.
  expect(monitor.deadline).toBe(38_000);
  monitor.heartbeatReceived(false, 37_000);
  expect(monitor.deadline).toBe(37_000);
  monitor.advance(37_000);
  monitor.heartbeatReceived(false, 51_500);
  expect(monitor.deadline).toBe(52_000);
});

test('S-263 however often the client beats, ours stay 15 seconds apart and do not starve', () => {
  const monitor = new HeartbeatMonitor(SERVER, every(15), 0);
  const sent: number[] = [];
  for (let at = 0; at < 300_000; at += 100) {
    if (at % 1000 === 0) monitor.heartbeatReceived(false, at);
    if ((monitor.deadline ?? Infinity) <= at)
      for (const { type } of monitor.advance(at)) if (type === 'send') sent.push(at);
  }
  expect(sent.length).toBeGreaterThanOrEqual(18);
  for (const [index, at] of sent.entries())
    if (index > 0) expect(at - (sent[index - 1] ?? 0)).toBeGreaterThanOrEqual(15_000);
});

test('a client never changes its rhythm for what the server says', () => {
  const monitor = new HeartbeatMonitor(CLIENT, every(30), 0);
  monitor.heartbeatReceived(false, 20_000);
  expect(monitor.deadline).toBe(30_000);
});
