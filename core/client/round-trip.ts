/** The client's estimate of the round-trip time, smoothed as in RFC 6298 §2 (RFC 9132 §4.4 paces requests by it). */

/** Weight of a new sample: alpha of RFC 6298. */
const WEIGHT = 1 / 8;

export class RoundTrip {
  #smoothedMs: number | undefined;

  /** Undefined until there was a sample. */
  get estimateMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** From one copy of a request to the answer to that very copy. */
  sample(elapsedMs: number): void {
    this.#smoothedMs =
      this.#smoothedMs === undefined ? elapsedMs : (1 - WEIGHT) * this.#smoothedMs + WEIGHT * elapsedMs;
  }
}
