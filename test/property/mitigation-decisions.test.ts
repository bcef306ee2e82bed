/** Any sequence of commands of several clients leaves a domain in which the rules of RFC 9132 §4.4 hold. */
import fc from 'fast-check';
import type { Answer } from '#core/mitigation/answer.ts';
import { type Command, isRequested, type Requester } from '#core/mitigation/command.ts';
import { decide } from '#core/mitigation/decide.ts';
import { applyChanges, DomainView } from '#core/mitigation/domain-view.ts';
import { holderOf } from '#core/mitigation/footprint.ts';
import { isAvailable } from '#core/mitigation/lifetime.ts';
import type { ConflictPolicy } from '#core/model/domain.ts';
import { containsPrefix, overlapsPrefix, parseIpPrefix } from '#core/model/ip-prefix.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import {
  DUE,
  efficacy,
  lost,
  prefixes,
  put,
  requester,
  World,
  withdrawal,
} from '#test/unit/mitigation/fixtures.ts';

const CLIENTS = [requester('a'), requester('b'), requester('c'), requester('a', 'id-of-mallory')];
const PREFIXES = [
  '192.0.2.0/24',
  '192.0.2.0/25',
  '192.0.2.128/25',
  '192.0.2.1/32',
  '192.0.2.129/32',
  '198.51.100.0/24',
  '2001:db8::/48',
  '2001:db8::1/128',
  '203.0.113.0/24',
];

type Step = { readonly wait: number } | { readonly command: Command };

const client = fc.constantFrom(...CLIENTS);
const mid = fc.nat({ max: 6 });
const scope = fc
  .uniqueArray(fc.constantFrom(...PREFIXES), { minLength: 1, maxLength: 2 })
  .map((list) => prefixes(...list));
const trigger = fc.boolean().map((triggerMitigation) => ({ triggerMitigation }));
const asked = fc
  .tuple(trigger, fc.constantFrom(60, 600, -1))
  .map(([options, lifetimeSeconds]) => ({ ...options, lifetimeSeconds }));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(client, mid, scope, asked).map((tuple) => ({ command: put(...tuple) })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(client, mid, scope, trigger).map((tuple) => ({ command: efficacy(...tuple) })),
  },
  { weight: 3, arbitrary: fc.tuple(client, mid).map((tuple) => ({ command: withdrawal(...tuple) })) },
  { weight: 1, arbitrary: client.map((from) => ({ command: lost(from) })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 50, 130, 700).map((wait) => ({ wait })) },
);
const story = fc.record({
  conflictPolicy: fc.constantFrom<ConflictPolicy>('accept-both', 'reject-new', 'replace-old'),
  steps: fc.array(step, { minLength: 1, maxLength: 30 }),
});

/** A world that keeps every record it has ever written, as a store would. */
class Chronicle extends World {
  readonly records = new Map<string, Mitigation>();

  override ask(command: Command): Answer {
    const answer = super.ask(command);
    for (const written of this.last?.writes ?? []) this.records.set(holderOf(written), written);
    return answer;
  }

  get available(): Mitigation[] {
    return [...this.records.values()].filter((each) => isAvailable(each, this.now));
  }

  fromStore(): DomainView {
    const { sv, domain } = this.view;
    return new DomainView({ sv, domain, mitigations: [...this.records.values()], aliases: [] });
  }
}

function tell(
  conflictPolicy: ConflictPolicy,
  steps: readonly Step[],
  check: (world: Chronicle, command: Command, answer: Answer) => void,
  before: (world: Chronicle, command: Command) => void = () => undefined,
): void {
  const world = new Chronicle({ conflictPolicy });
  for (const next of steps) {
    if ('wait' in next) world.now += next.wait;
    const command = 'wait' in next ? DUE : next.command;
    before(world, command);
    check(world, command, world.ask(command));
  }
}

const parsed = (text: string): NonNullable<ReturnType<typeof parseIpPrefix>> => {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(text);
  return prefix;
};

const overlap = (left: Mitigation, right: Mitigation): boolean =>
  left.targets.some((mine) =>
    right.targets.some((theirs) => overlapsPrefix(parsed(mine.prefix), parsed(theirs.prefix))),
  );

const pairs = function* <T>(list: readonly T[]): Generator<[T, T]> {
  for (const [index, left] of list.entries()) for (const right of list.slice(index + 1)) yield [left, right];
};

const isActive = (mitigation: Mitigation): boolean => mitigation.status === 'inProgress';
const isOrdered = (mitigation: Mitigation): boolean => mitigation.status !== 'activeButTerminating';
const isOf = (from: Requester, mitigation: Mitigation): boolean => mitigation.cuid === from.cuid;

const check = (property: (given: { conflictPolicy: ConflictPolicy; steps: Step[] }) => void): void =>
  fc.assert(fc.property(story, property), { numRuns: 300 });

test('S-128 a client never has two requests of one trigger type that overlap', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, ({ available }) => {
      for (const [left, right] of pairs(available.filter(isOrdered))) {
        const sameOrder = left.cuid === right.cuid && left.triggerMitigation === right.triggerMitigation;
        expect(sameOrder && overlap(left, right)).toBe(false);
      }
    }),
  );
});

test('no client has an active preconfigured request beside an overlapping immediate one', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, ({ available }) => {
      for (const [left, right] of pairs(available.filter(isActive))) {
        expect(left.cuid === right.cuid && overlap(left, right)).toBe(false);
      }
    }),
  );
});

test('S-435 nothing is ever aimed at what the domain does not own', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, (world) => {
      const owned = world.view.domain.prefixes.map(parsed);
      for (const target of world.last?.writes.flatMap((each) => each.targets) ?? []) {
        expect(owned.some((own) => containsPrefix(own, parsed(target.prefix)))).toBe(true);
      }
    }),
  );
});

test('an acknowledged request stays until its client, a higher mid, a conflict or time ends it', () => {
  check(({ conflictPolicy, steps }) => {
    const promised = new Map<string, { mitigation: Mitigation; until: number }>();
    tell(conflictPolicy, steps, (world, command, answer) => {
      if (command.type === 'delete') {
        const holder = holderOf({ cuid: command.requester.cuid, mid: command.mid });
        if (promised.get(holder)?.mitigation.identityId === command.requester.identityId)
          promised.delete(holder);
      }
      if (answer.result === 'created' || answer.result === 'changed') {
        if (command.type !== 'put' && command.type !== 'efficacy') throw new Error(command.type);
        const made = world.record(command.requester, command.mid);
        for (const [holder, { mitigation }] of promised) {
          const isLower = isOf(command.requester, mitigation) && mitigation.mid < made.mid;
          const sameType = mitigation.triggerMitigation === made.triggerMitigation;
          if (isLower && sameType && overlap(mitigation, made)) promised.delete(holder);
        }
        const until =
          answer.lifetimeSeconds === -1 ? Number.POSITIVE_INFINITY : world.now + answer.lifetimeSeconds;
        promised.set(holderOf(made), { mitigation: made, until });
      }
      for (const [holder, { mitigation, until }] of promised) {
        const record = world.records.get(holder);
        if (record?.status === 'withdrawn') promised.delete(holder);
        else if (until > world.now) {
          expect(record !== undefined && isAvailable(record, world.now)).toBe(true);
          if (mitigation.triggerMitigation) expect(record?.desired).toBe('present');
        }
      }
    });
  });
});

test('S-140 only a withdrawal by its client makes a request terminating', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, (world, command) => {
      for (const written of world.last?.writes ?? []) {
        if (written.status !== 'activeButTerminating') continue;
        expect(command).toMatchObject({
          type: 'delete',
          mid: written.mid,
          requester: { cuid: written.cuid },
        });
        expect(written.identityId).toBe(command.type === 'delete' ? command.requester.identityId : '');
      }
    }),
  );
});

test('S-131 what is created or refreshed has no overlapping higher mid of its client and type above it', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, (world, command, answer) => {
      if (command.type !== 'put' || (answer.result !== 'created' && answer.result !== 'changed')) return;
      const made = world.record(command.requester, command.mid);
      for (const other of world.available.filter((each) => isOrdered(each) && each.mid > made.mid)) {
        const sameOrder =
          isOf(command.requester, other) && other.triggerMitigation === made.triggerMitigation;
        expect(sameOrder && overlap(other, made)).toBe(false);
      }
    }),
  );
});

test('S-199 two clients are active on one target only where policy accepts both, and then both know', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, (world) => {
      const active = world.available.filter(isActive);
      for (const [left, right] of pairs(active)) {
        if (left.cuid === right.cuid || !overlap(left, right)) continue;
        expect(conflictPolicy).toBe('accept-both');
        expect([left.conflict?.status, right.conflict?.status]).toEqual(['active', 'active']);
      }
    }),
  );
});

test('a conflict that is over is not told any more', () => {
  check(({ steps }) =>
    tell('accept-both', steps, (world, command) => {
      if (command.type !== 'due') return;
      const active = world.available.filter(isActive);
      for (const told of active.filter((each) => each.conflict !== undefined)) {
        expect(active.some((other) => other.cuid !== told.cuid && overlap(told, other))).toBe(true);
      }
    }),
  );
});

test('a stranger with the same cuid changes nothing and learns nothing', () => {
  const mallory = CLIENTS.at(-1);
  check(({ conflictPolicy, steps }) => {
    let owned = false;
    tell(
      conflictPolicy,
      steps,
      (world, command) => {
        const isMallory = isRequested(command) && command.requester === mallory;
        if (isMallory && owned) expect(world.last?.writes).toEqual([]);
      },
      (world, command) => {
        const owner = isRequested(command) ? world.view.client(command.requester.cuid) : undefined;
        owned = owner !== undefined && owner.identityId !== mallory?.identityId;
      },
    );
  });
});

test('the same question has the same answer, from the view kept up and from the store', () => {
  check(({ conflictPolicy, steps }) =>
    tell(
      conflictPolicy,
      steps,
      () => undefined,
      (world, command) => {
        const decision = decide(world.view, command, world.now);
        expect(decide(world.view, command, world.now)).toEqual(decision);
        expect(decide(world.fromStore(), command, world.now)).toEqual(decision);
      },
    ),
  );
});

test('an undone decision leaves no trace in the view', () => {
  const probe = put(requester('probe'), 1, prefixes('192.0.2.0/24', '2001:db8::/48'));
  check(({ conflictPolicy, steps }) =>
    tell(
      conflictPolicy,
      steps,
      () => undefined,
      (world, command) => {
        const look = (): unknown => [decide(world.view, probe, world.now), world.view.liveCount];
        const untouched = look();
        applyChanges(world.view, decide(world.view, command, world.now).writes)();
        expect(look()).toEqual(untouched);
      },
    ),
  );
});

test('what is written is consistent in itself', () => {
  check(({ conflictPolicy, steps }) =>
    tell(conflictPolicy, steps, (world) => {
      const writes = world.last?.writes ?? [];
      expect(new Set(writes.map(holderOf)).size).toBe(writes.length);
      for (const written of writes) {
        const wanted = written.status === 'inProgress' || written.status === 'activeButTerminating';
        expect(written.desired).toBe(wanted ? 'present' : 'absent');
        expect(written.status === 'terminated').toBe(written.removedAt !== undefined);
        if (wanted) expect(written.startedAt).toBeLessThanOrEqual(world.now);
        if (written.status === 'signalLoss') expect(written.triggerMitigation).toBe(false);
        const sequences = written.notices.map(({ sequence }) => sequence);
        expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right));
      }
    }),
  );
});
