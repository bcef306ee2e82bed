/** The way to one driver: so many calls at once, each cut off when the device hangs. */

export class DriverTimeout extends Error {
  override readonly name = 'DriverTimeout';
}

export class DriverGate {
  readonly #width: number;
  readonly #timeoutMs: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, timeoutMs: number) {
    this.#width = width;
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with what the call rejects with, or with DriverTimeout. A call that was cut off makes room for the next. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await this.#inTime(call());
    } finally {
      // The place is handed over, or given back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new DriverTimeout(`no answer within ${this.#timeoutMs / 1000} s`)),
        this.#timeoutMs,
      );
      call.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
