/** Decides the commands of one batch in order and commits them; the caller sees to it that it is alone in the domain. */
import type { EpochSeconds } from '#core/base/time.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import { type Command, isRequested } from '#core/mitigation/command.ts';
import { CUID_COLLISION } from '#core/mitigation/conflict.ts';
import { decide, namesToResolve } from '#core/mitigation/decide.ts';
import type { Decision } from '#core/mitigation/decision.ts';
import { applyChanges, type DomainView } from '#core/mitigation/domain-view.ts';
import { holderOf } from '#core/mitigation/footprint.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import type { Store } from '#core/ports/store.ts';
import type { Authors } from './authors.ts';
import type { Names } from './names.ts';
import { MOST_WRITES, Step } from './step.ts';

export interface BatchDeps {
  readonly store: Pick<Store, 'commit'>;
  readonly names: Names;
  readonly authors: Authors;
  readonly now: EpochSeconds;
  /** The same view, brought up to the store; undefined when the domain is gone. */
  readonly refreshed: () => Promise<DomainView | undefined>;
  /** Waits a little, longer with every attempt. */
  readonly backOff: (attempt: number) => Promise<void>;
}

/** Lock losses in one batch before the rest is told to come back. */
const MOST_ATTEMPTS = 6;

const RETRY_SECONDS = 3;

export const UNKNOWN_DOMAIN: Answer = {
  result: 'refused',
  refusal: { code: 'unauthorized', why: 'there is no such domain' },
};

const BUSY: Answer = {
  result: 'refused',
  refusal: { code: 'unavailable', why: 'the domain is busy', retryAfterSeconds: RETRY_SECONDS },
};

const CUID_TAKEN: Answer = { result: 'refused', refusal: { code: 'conflict', conflict: CUID_COLLISION } };

export async function settleBatch(
  first: DomainView,
  commands: readonly Command[],
  deps: BatchDeps,
): Promise<{ readonly answers: readonly Answer[]; readonly view: DomainView }> {
  let view = first;
  const answers: Answer[] = [];
  const cuidTaken = new Set<number>();
  let lost = 0;
  while (answers.length < commands.length) {
    const step = await nextStep(view, commands, answers.length, cuidTaken, deps);
    const outcome = step.writes.length === 0 ? 'committed' : await commitStep(view, step, deps);
    if (outcome === 'committed') {
      answers.push(...step.answers);
      continue;
    }
    if (outcome === 'cuid-taken') {
      cuidTaken.add(answers.length + (step.claimedBy ?? 0));
      continue;
    }
    if (++lost === MOST_ATTEMPTS) return { answers: [...answers, ...rest(commands, answers, BUSY)], view };
    await deps.backOff(lost);
    const refreshed = await deps.refreshed();
    if (refreshed === undefined) {
      return { answers: [...answers, ...rest(commands, answers, UNKNOWN_DOMAIN)], view };
    }
    view = refreshed;
  }
  return { answers, view };
}

/** As many commands from `start` on as one commit can settle, at least one. */
async function nextStep(
  view: DomainView,
  commands: readonly Command[],
  start: number,
  cuidTaken: ReadonlySet<number>,
  deps: BatchDeps,
): Promise<Step> {
  const step = new Step(view);
  for (const [offset, command] of commands.slice(start).entries()) {
    const decision = cuidTaken.has(start + offset)
      ? { answer: CUID_TAKEN, writes: [], audit: [] }
      : await decideOne(view, command, deps);
    if (!step.hasRoomFor(decision)) break;
    step.add(decision);
  }
  return step;
}

async function decideOne(view: DomainView, command: Command, deps: BatchDeps): Promise<Decision> {
  const why = isRequested(command) ? deps.authors.objection(command.requester) : undefined;
  if (why !== undefined) {
    return { answer: { result: 'refused', refusal: { code: 'unauthorized', why } }, writes: [], audit: [] };
  }
  const resolved = await deps.names.resolve(namesToResolve(view, command, deps.now));
  const decision = decide(view, command, deps.now, resolved);
  if (!isRequested(command)) return decision;
  const name = deps.authors.nameOf(command.requester);
  return {
    ...decision,
    audit: decision.audit.map((note) => ({ ...note, detail: { ...note.detail, name } })),
  };
}

async function commitStep(
  view: DomainView,
  step: Step,
  deps: BatchDeps,
): Promise<'committed' | 'lock-lost' | 'cuid-taken'> {
  const result = await deps.store.commit(step.commit(deps.now));
  if (!result.ok) {
    step.undo();
    return result.reason;
  }
  view.committed(result.sv);
  await commitRemainder(view, step, deps);
  return 'committed';
}

/**
 * A single decision of more writes than one transaction takes. The request itself is in the first commit, so it is never
 * acknowledged and then lost; what it overrides, deactivates or informs follows here. Until then those records are still
 * there, which observers may see. Between two commits somebody else may commit: then only records that nobody has
 * touched are written, because the decision was about them as they were. What is left out by that, or by a crash, is
 * overridden by the next refresh of the request.
 */
async function commitRemainder(view: DomainView, step: Step, deps: BatchDeps): Promise<void> {
  let remainder = step.writes.slice(MOST_WRITES);
  for (let attempt = 1; remainder.length > 0 && attempt <= MOST_ATTEMPTS; ) {
    const domainId = view.domain.id;
    const mitigations = remainder.slice(0, MOST_WRITES);
    const result = await deps.store.commit({ domainId, expectedSv: view.sv, mitigations, audit: [] });
    if (result.ok) {
      view.committed(result.sv);
      remainder = remainder.slice(MOST_WRITES);
      continue;
    }
    takeBack(view, step, remainder);
    await deps.backOff(attempt++);
    if ((await deps.refreshed()) === undefined) return;
    remainder = remainder.filter((each) => isUntouched(view, step, each));
    applyChanges(view, remainder);
  }
  takeBack(view, step, remainder);
}

function takeBack(view: DomainView, step: Step, writes: readonly Mitigation[]): void {
  for (const mitigation of writes) view.put(holderOf(mitigation), step.before.get(holderOf(mitigation)));
}

function isUntouched(view: DomainView, step: Step, mitigation: Mitigation): boolean {
  return view.record(mitigation.cuid, mitigation.mid) === step.before.get(holderOf(mitigation));
}

function rest(commands: readonly Command[], answers: readonly Answer[], answer: Answer): Answer[] {
  return commands.slice(answers.length).map(() => answer);
}
