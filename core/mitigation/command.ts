/** What can be asked of a domain's mitigations: the typed commands of one batch. */
import type { Cdid, Cuid, IdentityId, Mid } from '../model/identifiers.ts';
import type { MitigationSource } from '../model/mitigation.ts';
import type { MitigationScope } from '../model/scope.ts';
import type { AttackStatus } from '../model/status.ts';

/** The proven author of a command. */
export interface Requester {
  readonly identityId: IdentityId;
  readonly cuid: Cuid;
  /** Only when the identity is a trusted gateway. */
  readonly cdid?: Cdid;
  readonly source: MitigationSource;
}

/** PUT mitigate (RFC 9132 §4.4.1): create, refresh or override. */
export interface PutCommand {
  readonly type: 'put';
  readonly requester: Requester;
  readonly mid: Mid;
  readonly scope: MitigationScope;
  /** As asked: 1 .. 2^31-1 seconds, or -1. */
  readonly lifetimeSeconds: number;
  readonly triggerMitigation: boolean;
}

/** PUT with an empty If-Match or attack-status (RFC 9132 §4.4.3; decisions D3, D12, D13). */
export interface EfficacyCommand {
  readonly type: 'efficacy';
  readonly requester: Requester;
  readonly mid: Mid;
  readonly scope: MitigationScope;
  /** Absent: the last granted value again (D3). */
  readonly lifetimeSeconds?: number;
  readonly triggerMitigation: boolean;
  readonly attackStatus: AttackStatus;
  /** With If-Match an unknown mid is ignored in silence; without it that is 4.00. */
  readonly ifMatch: boolean;
}

/** DELETE mitigate (RFC 9132 §4.4.4). */
export interface DeleteCommand {
  readonly type: 'delete';
  readonly requester: Requester;
  readonly mid: Mid;
}

/** The session of (identity, cuid) is lost beyond doubt (RFC 9132 §4.7). */
export interface SignalLostCommand {
  readonly type: 'signal-lost';
  readonly requester: Requester;
}

/** Every mitigator has told that nothing is left to drop: a loss-triggered mitigation ends (RFC 9132 §4.4.4, Table 3). */
export interface AttackStoppedCommand {
  readonly type: 'attack-stopped';
  readonly cuid: Cuid;
  readonly mid: Mid;
  /** Of the mitigation that the reports are about: what came after them is not ended by them. */
  readonly generation: number;
}

/** The sweeper: settle every record of the domain that is due. */
export interface DueCommand {
  readonly type: 'due';
}

/** What a client, or somebody on its behalf, has asked. */
export type RequestedCommand = PutCommand | EfficacyCommand | DeleteCommand | SignalLostCommand;

export type Command = RequestedCommand | AttackStoppedCommand | DueCommand;

export function isRequested(command: Command): command is RequestedCommand {
  return command.type !== 'due' && command.type !== 'attack-stopped';
}
