/** What goes on by itself: the outbox, the mitigators' workers, the sweeper, counters and reconciliation. */
import { systemClock } from '#adapters/clock/system-clock.ts';
import type { SqliteParts } from '#adapters/sqlite/store.ts';
import type { Functions } from '#core/ports/functions.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import { createMitigator } from '#functions/mitigator/app.ts';
import { createOutbox } from '#functions/outbox/app.ts';
import { followOutbox } from '#functions/outbox/follow.ts';
import { createSweeper } from '#functions/sweeper/app.ts';
import { createStoppedAttacks } from '#functions/sweeper/stopped-attacks.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import { type Loop, repeat } from './loop.ts';
import { startMitigatorWorkers } from './mitigator-workers.ts';
import type { PskKeys } from './psk-keys.ts';

export interface BackgroundDeps {
  readonly parts: SqliteParts;
  readonly functions: Functions;
  readonly mitigators: ReadonlyMap<string, Mitigator>;
  readonly pskKeys: PskKeys;
  readonly health: Health;
  readonly log: Log;
}

const SECOND_MS = 1000;
const STOPPED_EVERY_MS = 30 * SECOND_MS;
const COLLECT_EVERY_MS = 5 * SECOND_MS;
const RECONCILE_EVERY_MS = 60 * SECOND_MS;

/** Starts all of it; the returned function stops it and resolves when nothing runs any more. */
export function startBackground(deps: BackgroundDeps): () => Promise<void> {
  const { parts, functions, mitigators, pskKeys, health, log } = deps;
  const mitigator = createMitigator({
    store: parts.store,
    mitigators,
    clock: systemClock,
    trace: ({ type, ...detail }) => log({ event: type, ...detail }),
  });
  const workers = startMitigatorWorkers({
    names: [...mitigators.keys()],
    queue: (name) => parts.queue(name),
    handle: async (command) => {
      const outcome = await mitigator.handle(command);
      health.worked(`mitigator ${command.mitigator}`);
      return outcome;
    },
    onError: (name, error) => health.failed(`mitigator ${name}`, error),
  });
  const stopOutbox = followOutbox({
    store: parts.store,
    outbox: parts.outbox,
    publish: createOutbox({ store: parts.store, queue: workers.queue }),
    onError: (error) => health.failed('outbox', error),
  });
  const sweep = createSweeper({
    store: parts.store,
    requestMitigation: (event) => functions.requestMitigation(event),
    clock: systemClock,
  });
  const endStopped = createStoppedAttacks({
    store: parts.store,
    requestMitigation: (event) => functions.requestMitigation(event),
    clock: systemClock,
  });
  const every = (part: string, pauseMs: number, work: () => Promise<unknown>): Loop =>
    repeat(() => health.watch(part, work), pauseMs);
  const loops = [
    every('sweeper', SECOND_MS, sweep),
    every('stopped attacks', STOPPED_EVERY_MS, endStopped),
    every('pre-shared keys', SECOND_MS, () => pskKeys.reload()),
    // Each at its own pace: a device that hangs delays the look at no other.
    ...[...mitigators.keys()].map((name) =>
      every(`counters of ${name}`, COLLECT_EVERY_MS, () => mitigator.collect(name)),
    ),
    every('reconciler', RECONCILE_EVERY_MS, () => mitigator.reconcile()),
  ];
  return async () => {
    await Promise.all([stopOutbox(), ...loops.map((loop) => loop.stop())]);
    await workers.stop();
  };
}
