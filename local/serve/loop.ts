/** Work that repeats until it is stopped, one step at a time. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Loop {
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

/** Calls `step` now and `pauseMs` after each end. `step` must not reject: whoever gives it says what failure means. */
export function repeat(step: () => Promise<unknown>, pauseMs: number): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await step();
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
