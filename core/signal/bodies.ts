/** The bodies of RFC 9132 after decoding and before encoding: names and units of the model, nothing of the wire. */
import type { ConflictInformation } from '../model/conflict.ts';
import type { Mid, Sid } from '../model/identifiers.ts';
import type { MitigationScope } from '../model/scope.ts';
import type { AttackStatus, Status } from '../model/status.ts';

/** PUT mitigate (§4.4.1) and efficacy update (§4.4.3). */
export interface MitigationRequestBody {
  readonly scope: MitigationScope;
  /** Seconds; -1 unlimited. Absent only in an efficacy update (D3). */
  readonly lifetimeSeconds?: number;
  readonly triggerMitigation: boolean;
  readonly attackStatus?: AttackStatus;
}

/** Answer to a successful PUT (Figure 12) and to a conflicting one. */
export interface MitigationAnswerBody {
  readonly mid?: Mid;
  readonly lifetimeSeconds?: number;
  readonly conflict?: ConflictInformation;
}

/** One entry of a GET answer or notification (§4.4.2). */
export interface MitigationStatusEntry {
  readonly mid: Mid;
  readonly scope: MitigationScope;
  readonly triggerMitigation: boolean;
  /** Seconds since 1970; absent with status 8. */
  readonly mitigationStart?: number;
  /** Remaining, in seconds; -1 unlimited. */
  readonly lifetimeSeconds: number;
  readonly status: Status;
  readonly conflict?: ConflictInformation;
  readonly bytesDropped?: bigint;
  readonly bpsDropped?: bigint;
  readonly pktsDropped?: bigint;
  readonly ppsDropped?: bigint;
}

/** Uri-Query `c`: configuration only, non-configuration only, all (§4.4.2, D17). */
export type ContentFilter = 'c' | 'n' | 'a';

/** `current` is negotiated; `min` and `max` are told by the server in GET. Decimal values are exact hundredths. */
export interface Bounded {
  readonly max?: number;
  readonly min?: number;
  readonly current?: number;
}

/** One of the two configuration sets (§4.5). Seconds; ackRandomFactor and ackTimeout are decimals of two digits. */
export interface ConfigSet {
  readonly heartbeatInterval?: Bounded;
  readonly missingHbAllowed?: Bounded;
  readonly probingRate?: Bounded;
  readonly maxRetransmit?: Bounded;
  readonly ackTimeout?: Bounded;
  readonly ackRandomFactor?: Bounded;
}

export interface SignalConfigBody {
  /** In the answer to a GET after a PUT, if the server remembers one. */
  readonly sid?: Sid;
  readonly mitigating?: ConfigSet;
  readonly idle?: ConfigSet;
}

/** PUT hb (§4.7): did the sender receive heartbeats of its peer in the last interval? */
export interface HeartbeatBody {
  readonly peerHbStatus: boolean;
}

/** 5.03 redirect (§4.6). */
export interface RedirectBody {
  readonly altServer: string;
  readonly altServerRecords: readonly string[];
}

/** Why a body or path was refused: becomes 4.00 with a diagnostic that names field and section. */
export interface BodyError {
  readonly field: string;
  readonly why: string;
  /** `RFC 9132 §4.4.1.1` */
  readonly section: string;
}
