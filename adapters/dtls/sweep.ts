/** One timer for everything DTLS in this process: retransmission, time limits, idle peers, key changes. */
const PERIOD_MS = 100;

const sweepers = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls `sweep` ten times a second, with monotonic milliseconds, until the returned function is called. */
export function everySweep(sweep: (now: number) => void): () => void {
  sweepers.add(sweep);
  timer ??= setInterval(() => {
    const now = performance.now();
    for (const each of sweepers) each(now);
  }, PERIOD_MS);
  return () => {
    sweepers.delete(sweep);
    if (sweepers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
