/** An alias made over the data channel (RFC 8783 §6): a name for targets, private to the client that made it. */
import type { EpochSeconds } from '../base/time.ts';
import type { Cuid, DomainId } from './identifiers.ts';
import type { MitigationScope } from './scope.ts';

export interface Alias {
  readonly domainId: DomainId;
  readonly cuid: Cuid;
  readonly name: string;
  /** Its own `aliasNames` is empty: aliases do not nest. */
  readonly scope: MitigationScope;
  /** Absent: kept until it is deleted. */
  readonly expiresAt?: EpochSeconds;
}
