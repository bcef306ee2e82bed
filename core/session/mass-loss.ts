/**
 * A dead uplink or a moved anycast route loses many sessions at once, and none of these customers is under attack: above
 * a threshold no loss is taken for one customer's signal.
 */
import type { Instant } from '../base/time.ts';

const WINDOW_MS = 300_000;
/** Losses in the window that are ordinary however few sessions there are. */
const FEWEST = 20;
const SHARE = 0.05;

export class MassLossBreaker {
  #losses: Instant[] = [];

  recordLoss(now: Instant): void {
    this.#losses = this.#recent(now);
    this.#losses.push(now);
  }

  /**
   * True while automatic triggering has to wait: so many of `sessions` were lost in the last five minutes, or so many are
   * `waiting` to be taken for lost.
   */
  isOpen(waiting: number, sessions: number, now: Instant): boolean {
    return Math.max(this.#recent(now).length, waiting) > Math.max(FEWEST, SHARE * sessions);
  }

  #recent(now: Instant): Instant[] {
    return this.#losses.filter((at) => now - at < WINDOW_MS);
  }
}
