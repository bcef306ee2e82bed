/** What a decision is: an answer, and what to write so that the answer is true. */
import type { Cuid, IdentityId } from '../model/identifiers.ts';
import type { Mitigation } from '../model/mitigation.ts';
import type { Answer, Refusal } from './answer.ts';

export interface Decision {
  readonly answer: Answer;
  /** Whole records, the requested one first, none twice. Nothing of it holds before it is committed. */
  readonly writes: readonly Mitigation[];
  /** A cuid that the domain has not seen yet: the commit fails when another identity has it (S-057). */
  readonly cuidClaim?: { readonly cuid: Cuid; readonly identityId: IdentityId };
  readonly audit: readonly AuditNote[];
}

/** What goes into the audit log beside time and domain. */
export interface AuditNote {
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A decision before conflicts are released, generations set and the audit written (`decide.ts`). */
export type Proposal = Pick<Decision, 'answer' | 'writes'>;

export function refuse(refusal: Refusal, writes: readonly Mitigation[] = []): Proposal {
  return { answer: { result: 'refused', refusal }, writes };
}
