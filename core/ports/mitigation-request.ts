/**
 * `functions/mitigation-request`: commands of one domain in, one answer per command out, in order.
 * The payload is JSON: bytes are base64url, uint64 are decimal strings.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { ConflictInformation } from '../model/conflict.ts';
import type { Cdid, Cuid, DomainId, IdentityId, Mid } from '../model/identifiers.ts';
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

export type Command =
  | {
      /** PUT mitigate (RFC 9132 §4.4.1): create, refresh or override. */
      readonly type: 'put';
      readonly requester: Requester;
      readonly mid: Mid;
      readonly scope: MitigationScope;
      /** As asked: 1 .. 2^31-1 seconds, or -1. */
      readonly lifetimeSeconds: number;
      readonly triggerMitigation: boolean;
    }
  | {
      /** PUT with an empty If-Match or attack-status (RFC 9132 §4.4.3; decisions D3, D12, D13). */
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
  | { readonly type: 'delete'; readonly requester: Requester; readonly mid: Mid }
  /** The session of (identity, cuid) is lost beyond doubt (RFC 9132 §4.7). */
  | { readonly type: 'signal-lost'; readonly requester: Requester }
  /** The sweeper: settle every record of the domain that is due. */
  | { readonly type: 'due' };

export type Refusal =
  | { readonly code: 'invalid'; readonly field: string; readonly why: string; readonly section: string }
  | { readonly code: 'not-owned'; readonly target: string }
  | { readonly code: 'unknown-alias'; readonly alias: string }
  | { readonly code: 'unresolvable'; readonly name: string }
  | { readonly code: 'changed-parameters'; readonly field: string }
  | { readonly code: 'unknown-mid' }
  | {
      readonly code: 'conflict';
      readonly conflict: ConflictInformation;
      readonly mid?: Mid;
      readonly lifetimeSeconds?: number;
    }
  | { readonly code: 'forbidden'; readonly why: string }
  | { readonly code: 'limit'; readonly why: string; readonly retryAfterSeconds: number }
  | { readonly code: 'unavailable'; readonly why: string; readonly retryAfterSeconds: number };

export type Answer =
  /** 2.01 */
  | {
      readonly result: 'created';
      readonly mid: Mid;
      readonly lifetimeSeconds: number;
      readonly conflict?: ConflictInformation;
    }
  /** 2.04 */
  | {
      readonly result: 'changed';
      readonly mid: Mid;
      readonly lifetimeSeconds: number;
      readonly conflict?: ConflictInformation;
    }
  /** 2.02, also when there was nothing to delete. */
  | { readonly result: 'deleted' }
  /** No response at all (D12). */
  | { readonly result: 'ignored' }
  | { readonly result: 'done' }
  | { readonly result: 'refused'; readonly refusal: Refusal };

export interface MitigationRequestEvent {
  readonly domainId: DomainId;
  readonly commands: readonly Command[];
}

export interface MitigationRequestResult {
  readonly answers: readonly Answer[];
  /** Domain version after the commit: what the edge caches is valid up to here. */
  readonly sv: number;
  readonly at: EpochSeconds;
}
