/** Work that repeats until it is stopped. One step at a time, and a failed one is told and tried again. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Loop {
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

/**
 * Calls `step`, waits `pauseMs`, and again; a step may return true to go on without the pause.
 * After a failure it pauses too, so that a broken device is asked at the same pace and not in a spin.
 */
export function repeat(
  step: (signal: AbortSignal) => Promise<boolean | undefined>,
  pauseMs: number,
  onError: (error: unknown) => void,
): Loop {
  const controller = new AbortController();
  const { signal } = controller;
  const done = (async () => {
    while (!signal.aborted) {
      const again = await step(signal).catch((error: unknown) => {
        onError(error);
        return undefined;
      });
      if (again !== true) await pause(pauseMs, signal);
    }
  })();
  return {
    stop: async () => {
      controller.abort();
      await done;
    },
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
