/**
 * When a client's signal is lost beyond doubt, its preconfigured mitigations are triggered (RFC 9132 §4.7, §4.4.1.3):
 * never for a client that is still heard on another session, never from an orderly end, never for many at once, and never
 * because a process of ours died: what is known here dies with it.
 */
import type { Instant } from '#core/base/time.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { Command } from '#core/mitigation/command.ts';
import type { DomainId, IdentityId } from '#core/model/identifiers.ts';
import type { Clock } from '#core/ports/clock.ts';
import type { PreconfiguredClient } from '#core/server/activity.ts';
import { MassLossBreaker } from '#core/session/mass-loss.ts';
import type { SignalLog } from './signal-event.ts';

export interface LossDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: SignalLog;
  readonly submit: (domainId: DomainId, command: Command) => Promise<Answer>;
  readonly preconfigured: (domainId: DomainId, identityId: IdentityId) => PreconfiguredClient[];
  /** The client is heard on some session. */
  readonly isHeard: (identityId: IdentityId) => boolean;
  readonly sessions: () => number;
  readonly triggered: () => void;
}

interface Loss {
  readonly identityId: IdentityId;
  readonly domainId: DomainId;
  /** Not before: a session that broke is lost only after the silence that heartbeats would have needed. */
  readonly dueAt: Instant;
  /** Who waits is remembered here, for the domain may have no other session. */
  readonly clients: readonly PreconfiguredClient[];
  counted: boolean;
  submitting: boolean;
}

export class LossOfSignal {
  readonly #deps: LossDeps;
  readonly #losses = new Map<IdentityId, Loss>();
  readonly #breaker = new MassLossBreaker();
  #breakerWasOpen = false;

  constructor(deps: LossDeps) {
    this.#deps = deps;
  }

  /** Silent for longer than the heartbeats allow, or broken and lost if it stays silent until `dueAt`. */
  watch(identityId: IdentityId, domainId: DomainId, dueAt: Instant): void {
    if (this.#losses.has(identityId)) return;
    const clients = this.#deps.preconfigured(domainId, identityId);
    this.#losses.set(identityId, {
      identityId,
      domainId,
      dueAt,
      clients,
      counted: false,
      submitting: false,
    });
  }

  /** The client left in good order, or is heard again. */
  cancel(identityId: IdentityId): void {
    this.#losses.delete(identityId);
  }

  get waiting(): number {
    return this.#losses.size;
  }

  tick(): void {
    if (this.#losses.size === 0) return;
    const now = this.#deps.clock.monotonic();
    const due: Loss[] = [];
    for (const loss of this.#losses.values()) {
      if (this.#deps.isHeard(loss.identityId)) this.#losses.delete(loss.identityId);
      else if (loss.dueAt <= now && !loss.submitting) due.push(loss);
    }
    for (const loss of due) {
      if (!loss.counted) this.#breaker.recordLoss(now);
      loss.counted = true;
    }
    const sessions = this.#deps.sessions();
    const isOpen = this.#breaker.isOpen(due.length, sessions, now);
    if (isOpen && !this.#breakerWasOpen)
      this.#deps.log({ event: 'mass-loss', waiting: due.length, sessions });
    this.#breakerWasOpen = isOpen;
    if (!isOpen) for (const loss of due) void this.#trigger(loss);
  }

  /** Once per loss; what the function could not do is asked for again at the next tick. */
  async #trigger(loss: Loss): Promise<void> {
    const { identityId, domainId, clients } = loss;
    loss.submitting = true;
    const answers = await Promise.all(
      clients.map(({ cuid, cdid }) => {
        const requester = {
          identityId,
          cuid,
          source: 'loss-of-signal' as const,
          ...(cdid === undefined ? {} : { cdid }),
        };
        return this.#deps.submit(domainId, { type: 'signal-lost', requester });
      }),
    );
    loss.submitting = false;
    if (answers.some(({ result }) => result !== 'done')) return;
    if (this.#losses.get(identityId) === loss) this.#losses.delete(identityId);
    if (clients.length === 0) return;
    this.#deps.triggered();
    const cuids = clients.map(({ cuid }) => cuid);
    this.#deps.log({ event: 'signal-lost', identityId, domainId, cuids });
  }
}
