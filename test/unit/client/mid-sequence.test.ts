import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentState } from '#agent-edge/client/agent-state.ts';
import { MID_ROLLOVER, nextMid } from '#core/client/mid-sequence.ts';
import type { Cuid } from '#core/model/identifiers.ts';

const cuid = 'dz6pHjaADkaFTbjr0JGBpw' as Cuid;
const SERVER = 'dots.example:4646';

test('S-065 at 3221225471 it starts again from 0 when no attack is active, and goes on during one', () => {
  expect(MID_ROLLOVER).toBe(Math.floor((2 ** 32 - 1) * 0.75));
  expect(nextMid(3221225471, false)).toBe(0);
  expect(nextMid(3221225471, true)).toBe(3221225472);
  expect(nextMid(3221225470, false)).toBe(3221225471);
  expect(nextMid(4000000000, false)).toBe(0);
  expect(nextMid(4294967295, true)).toBeUndefined();
  expect(nextMid(0, true)).toBe(1);
});

describe('the agent’s memory', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'agent-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const take = (count: number): number[] => {
    const state = new AgentState(home);
    const mids = Array.from({ length: count }, () => state.takeMid(SERVER, cuid, true));
    state.close();
    return mids;
  };

  test('S-064 mids grow across a restart', () => {
    const mids = [...take(5), ...take(1)];
    expect(mids).toEqual([...mids].sort((left, right) => left - right));
    expect(new Set(mids).size).toBe(6);
  });

  test('two processes at once never take the same mid', () => {
    const [first, second] = [new AgentState(home), new AgentState(home)];
    const mids = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? first : second).takeMid(SERVER, cuid, true),
    );
    expect(new Set(mids).size).toBe(20);
    first.close();
    second.close();
  });

  test('a mid that was used by hand is left behind, a lower one changes nothing', () => {
    const state = new AgentState(home);
    state.noteMid(SERVER, cuid, 100);
    state.noteMid(SERVER, cuid, 7);
    expect(state.takeMid(SERVER, cuid, true)).toBe(101);
    expect(state.lastMid('other.example:4646', cuid)).toBeUndefined();
    state.close();
  });

  test('S-053 a replaced cuid is kept, for that server alone', () => {
    const state = new AgentState(home);
    expect(state.cuid(SERVER, cuid)).toBe(cuid);
    state.replaceCuid(SERVER, cuid, 'another' as Cuid);
    state.close();
    const again = new AgentState(home);
    expect(again.cuid(SERVER, cuid)).toBe('another');
    expect(again.cuid('other.example:4646', cuid)).toBe(cuid);
    again.close();
  });

  test('only its owner may read it', () => {
    take(1);
    expect(statSync(join(home, 'agent')).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'agent', 'state.db')).mode & 0o777).toBe(0o600);
  });
});
