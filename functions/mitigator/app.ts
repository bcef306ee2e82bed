/**
 * Drives the mitigators: commands from the queue, and at intervals a look at every device. A command only says which
 * record to look at; the record, read afresh, says what is to be there.
 */

import type { Cuid, DomainId, Mid } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { Mitigator } from '#core/ports/mitigator.ts';
import type { MitigatorCommand } from '#core/ports/queue.ts';
import type { Store } from '#core/ports/store.ts';
import { act, type Device } from './act.ts';
import { collectAll } from './collect.ts';
import { DriverGate } from './driver-gate.ts';
import { KeyLock, lockKey } from './key-lock.ts';
import { removeStrays } from './strays.ts';
import type { MitigatorTrace } from './trace.ts';

export interface MitigatorAppDeps {
  readonly store: Store;
  readonly mitigators: ReadonlyMap<string, Mitigator>;
  readonly clock: Pick<Clock, 'epochSeconds'>;
  readonly trace?: (event: MitigatorTrace) => void;
  /** How long a driver may take for one call; 15 s by default. */
  readonly driverTimeoutMs?: number;
}

export type Handled = 'done' | { readonly retryAfterSeconds: number };

export interface MitigatorApp {
  /** Rejects only when the store fails. */
  handle(command: MitigatorCommand): Promise<Handled>;
  /**
   * Looks at every mitigation that the mitigator may hold, or that any of them may: counters, proof, leases; brings back
   * what is missing. Every few seconds; resolves with the slowest device, so that each wants a rhythm of its own.
   */
  collect(mitigator?: string): Promise<void>;
  /** The same, and takes away what the devices hold and nobody owns. After a start, a reconnection, and now and then. */
  reconcile(): Promise<void>;
}

const DRIVER_TIMEOUT_MS = 15_000;

/** Calls to one driver at once. */
const GATE_WIDTH = 16;

/** A device that is slow to confirm is asked again after these; from then on `collect` watches it. */
const PENDING_RETRY_SECONDS = [1, 2, 4];

/** The same for a device that fails; `failed` is reported with the fifth failure, and `collect` goes on trying. */
const FAILURE_RETRY_SECONDS = [1, 2, 4, 8, 16, 32];
const GIVE_UP_AFTER = 4;

export function createMitigator(deps: MitigatorAppDeps): MitigatorApp {
  const { store, clock, trace = () => undefined, driverTimeoutMs = DRIVER_TIMEOUT_MS } = deps;
  const devices = new Map<string, Device>(
    [...deps.mitigators].map(([name, mitigator]) => [
      name,
      { mitigator, gate: new DriverGate(GATE_WIDTH, driverTimeoutMs) },
    ]),
  );
  const lock = new KeyLock();
  const attempts = new Map<string, number>();
  const parts = { store, clock, trace, lock, devices };
  const partsOf = (mitigator: string): typeof parts => ({
    ...parts,
    devices: new Map([...devices].filter(([name]) => name === mitigator)),
  });

  const handle = async (command: MitigatorCommand): Promise<Handled> => {
    const { mid, generation, mitigator: name } = command;
    const key = {
      domainId: command.domainId as DomainId,
      cuid: command.cuid as Cuid,
      mid: mid as Mid,
    };
    const device = devices.get(name) ?? lostDevice(name, driverTimeoutMs);
    return lock.run(lockKey(name, key), async () => {
      const mitigation = await store.mitigation(key);
      // Forgotten, or a newer command is on its way.
      if (mitigation?.generation !== generation) return 'done';
      const attempt = `${lockKey(name, key)}#${generation}`;
      const before = attempts.get(attempt) ?? 0;
      const outcome = await act(parts, device, mitigation, before >= GIVE_UP_AFTER);
      const delays = { settled: [], pending: PENDING_RETRY_SECONDS, unreachable: FAILURE_RETRY_SECONDS }[
        outcome
      ];
      const retryAfterSeconds = delays[before];
      if (retryAfterSeconds === undefined) {
        attempts.delete(attempt);
        return 'done';
      }
      attempts.set(attempt, before + 1);
      return { retryAfterSeconds };
    });
  };

  return {
    handle,
    collect: (mitigator) => collectAll(mitigator === undefined ? parts : partsOf(mitigator)),
    async reconcile() {
      await removeStrays(parts);
      await collectAll(parts);
    },
  };
}

/**
 * A name that the configuration has lost: it can neither do nor undo anything any more. What it holds ends with its
 * lease, or by the operator's hand.
 */
function lostDevice(name: string, timeoutMs: number): Device {
  const reason = `no mitigator is called ${name} any more`;
  return {
    gate: new DriverGate(GATE_WIDTH, timeoutMs),
    mitigator: {
      name,
      capabilities: {
        families: [4, 6],
        ports: true,
        protocols: true,
        profiles: [],
        counters: 'none',
        maxRules: 0,
      },
      keyOf: () => name,
      ensure: () => Promise.resolve({ state: 'refused', actualTargets: [], reason }),
      remove: () => Promise.resolve(),
      collect: () => Promise.resolve(undefined),
      async *list() {},
      removeInstalled: () => Promise.resolve(),
      health: () => Promise.resolve({ healthy: false, detail: reason }),
      close: () => Promise.resolve(),
    },
  };
}
