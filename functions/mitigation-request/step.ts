/** The commands of a batch that are settled by one commit. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { AuditNote, Decision } from '#core/mitigation/decision.ts';
import { applyChanges, type DomainView } from '#core/mitigation/domain-view.ts';
import { holderOf } from '#core/mitigation/footprint.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Commit } from '#core/ports/store.ts';

/** DynamoDB takes 100 items in a transaction: these, the lock, the claim and the audit. */
export const MOST_WRITES = 90;
const MOST_NOTES = 6;

export class Step {
  readonly #view: DomainView;
  readonly answers: Answer[] = [];
  readonly #writes = new Map<string, Mitigation>();
  /** Each written record as it was before the step. */
  readonly before = new Map<string, Mitigation | undefined>();
  readonly #audit: AuditNote[] = [];
  readonly #undos: (() => void)[] = [];
  #claim: Decision['cuidClaim'];
  /** Position in `answers` of the command that claims a cuid. */
  claimedBy: number | undefined;

  constructor(view: DomainView) {
    this.#view = view;
  }

  /** False when the decision belongs into the next step; a large one has a step of its own. */
  hasRoomFor(decision: Decision): boolean {
    if (this.#writes.size === 0) return true;
    const added = decision.writes.filter((mitigation) => !this.#writes.has(holderOf(mitigation))).length;
    const claimsClash = this.#claim !== undefined && decision.cuidClaim !== undefined;
    return this.#writes.size + added <= MOST_WRITES && !claimsClash;
  }

  /** The view shows the decision from now on, so that the next command is decided after it. */
  add(decision: Decision): void {
    if (decision.cuidClaim !== undefined) {
      this.#claim = decision.cuidClaim;
      this.claimedBy = this.answers.length;
    }
    this.answers.push(decision.answer);
    for (const mitigation of decision.writes) {
      const holder = holderOf(mitigation);
      if (!this.before.has(holder)) {
        this.before.set(holder, this.#view.record(mitigation.cuid, mitigation.mid));
      }
      this.#writes.set(holder, mitigation);
    }
    this.#audit.push(...decision.audit);
    this.#undos.push(applyChanges(this.#view, decision.writes));
  }

  get writes(): readonly Mitigation[] {
    return [...this.#writes.values()];
  }

  /** Takes the view back to where it was. */
  undo(): void {
    for (const undo of this.#undos.toReversed()) undo();
  }

  /** The first commit of the step; what does not fit follows in others. */
  commit(now: EpochSeconds): Commit {
    const domainId = this.#view.domain.id;
    return {
      domainId,
      expectedSv: this.#view.sv,
      mitigations: this.writes.slice(0, MOST_WRITES),
      ...(this.#claim === undefined ? {} : { cuidClaim: this.#claim }),
      audit: combined(this.#audit).map((note) => ({ ...note, at: now, domainId })),
    };
  }
}

/** Many commands in one commit leave one item of audit. */
function combined(notes: readonly AuditNote[]): readonly AuditNote[] {
  return notes.length <= MOST_NOTES ? notes : [{ actor: 'batch', action: 'batch', detail: { notes } }];
}
