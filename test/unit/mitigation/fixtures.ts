/** A small domain and short ways to ask something of it. */
import { formatCode } from '#core/coap/code.ts';
import type { Answer } from '#core/mitigation/answer.ts';
import type { Command, Requester } from '#core/mitigation/command.ts';
import { decide } from '#core/mitigation/decide.ts';
import type { Decision } from '#core/mitigation/decision.ts';
import { applyChanges, DomainView } from '#core/mitigation/domain-view.ts';
import type { ResolvedNames } from '#core/mitigation/expand-targets.ts';
import { isAvailable } from '#core/mitigation/lifetime.ts';
import type { Alias } from '#core/model/alias.ts';
import type { ConflictInformation } from '#core/model/conflict.ts';
import { DEFAULT_POLICY, type Domain, type DomainPolicy } from '#core/model/domain.ts';
import type { Cdid, Cuid, DomainId, IdentityId, Mid } from '#core/model/identifiers.ts';
import type { IpPrefix } from '#core/model/ip-prefix.ts';
import type { Mitigation } from '#core/model/mitigation.ts';
import { EMPTY_SCOPE, type MitigationScope } from '#core/model/scope.ts';
import type { AttackStatus } from '#core/model/status.ts';
import { errorResponse } from '#core/signal/error-response.ts';

export const NOON = 1_800_000_000;

export function demoDomain(policy: Partial<DomainPolicy> = {}): Domain {
  return {
    id: 'demo' as DomainId,
    name: 'Demo',
    prefixes: ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'],
    names: ['demo.example'],
    policy: { ...DEFAULT_POLICY, ...policy },
  };
}

const everything = (family: 4 | 6): IpPrefix => ({ family, address: 0n, length: 0 });

export function requester(cuid: string, identity = `id-of-${cuid}`, cdid?: string): Requester {
  const known = { identityId: identity as IdentityId, cuid: cuid as Cuid, source: 'client' } as const;
  return cdid === undefined ? known : { ...known, cdid: cdid as Cdid };
}

export function scopeOf(scope: Partial<MitigationScope>): MitigationScope {
  return { ...EMPTY_SCOPE, ...scope };
}

export const prefixes = (...targetPrefixes: string[]): MitigationScope => scopeOf({ targetPrefixes });

export interface PutOptions {
  readonly lifetimeSeconds?: number;
  readonly triggerMitigation?: boolean;
}

export function put(from: Requester, mid: number, scope: MitigationScope, options: PutOptions = {}): Command {
  const { lifetimeSeconds = 3600, triggerMitigation = true } = options;
  return { type: 'put', requester: from, mid: mid as Mid, scope, lifetimeSeconds, triggerMitigation };
}

export interface EfficacyOptions extends PutOptions {
  readonly attackStatus?: AttackStatus;
  readonly ifMatch?: boolean;
}

export function efficacy(
  from: Requester,
  mid: number,
  scope: MitigationScope,
  options: EfficacyOptions = {},
): Command {
  const { triggerMitigation = true, attackStatus = 'underAttack', ifMatch = true, lifetimeSeconds } = options;
  return {
    type: 'efficacy',
    requester: from,
    mid: mid as Mid,
    scope,
    triggerMitigation,
    attackStatus,
    ifMatch,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
  };
}

export const withdrawal = (from: Requester, mid: number): Command => ({
  type: 'delete',
  requester: from,
  mid: mid as Mid,
});

export const lost = (from: Requester): Command => ({ type: 'signal-lost', requester: from });

export const DUE: Command = { type: 'due' };

/** A domain whose decisions are committed at once. */
export class World {
  readonly view: DomainView;
  now = NOON;
  resolved: ResolvedNames = new Map();
  last: Decision | undefined;

  constructor(policy: Partial<DomainPolicy> = {}, aliases: readonly Alias[] = []) {
    this.view = new DomainView({ sv: 0, domain: demoDomain(policy), mitigations: [], aliases });
  }

  ask(command: Command): Answer {
    const decision = decide(this.view, command, this.now, this.resolved);
    this.last = decision;
    if (decision.writes.length > 0) {
      applyChanges(this.view, decision.writes);
      this.view.committed(this.view.sv + 1);
    }
    return decision.answer;
  }

  /** The code of the answer to it. */
  code(command: Command): string {
    return codeOf(this.ask(command));
  }

  /** Lets time pass and settles what is due by then. */
  pass(seconds: number): void {
    this.now += seconds;
    this.ask(DUE);
  }

  stored(from: Requester, mid: number): Mitigation | undefined {
    return this.view.record(from.cuid, mid as Mid);
  }

  /** Mids that GET would list for the client (RFC 9132 §4.4.2). */
  listed(from: Requester): number[] {
    const all = this.view.overlapping({
      prefixes: [everything(4), everything(6)],
      names: new Set(),
      uris: new Set(),
      aliases: new Set(),
    });
    return all
      .filter((each) => each.cuid === from.cuid && isAvailable(each, this.now))
      .map((each) => each.mid);
  }

  /** The record as its client may see it; a test that expects none says so with `stored`. */
  record(from: Requester, mid: number): Mitigation {
    const mitigation = this.stored(from, mid);
    if (mitigation === undefined) throw new Error(`no record of ${from.cuid} with mid ${mid}`);
    return mitigation;
  }
}

/** The CoAP code that the answer becomes, `4.09`; `none` for silence. */
export function codeOf(answer: Answer): string {
  switch (answer.result) {
    case 'created':
      return '2.01';
    case 'changed':
      return '2.04';
    case 'deleted':
      return '2.02';
    case 'refused':
      return formatCode(errorResponse(answer.refusal).code);
    case 'ignored':
    case 'done':
      return 'none';
  }
}

/** Conflict information of an answer, refused or not. */
export function conflictOf(answer: Answer): ConflictInformation | undefined {
  if (answer.result === 'created' || answer.result === 'changed') return answer.conflict;
  if (answer.result === 'refused' && answer.refusal.code === 'conflict') return answer.refusal.conflict;
  return undefined;
}
