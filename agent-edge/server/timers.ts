/** Time passing, handed in: the server runs on the machine's timers, tests on their own. */

export interface Timers {
  /** Calls back every so many milliseconds until the returned function is called. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** Keeps no process alive. */
export const systemTimers: Timers = {
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
};
