/**
 * `functions/mitigation-request`: commands of one domain in, one answer per command out, in order.
 * The payload is JSON: bytes are base64url, uint64 are decimal strings.
 */
import type { EpochSeconds } from '../base/time.ts';
import type { Answer } from '../mitigation/answer.ts';
import type { Command } from '../mitigation/command.ts';
import type { DomainId } from '../model/identifiers.ts';

export type { Answer, Refusal } from '../mitigation/answer.ts';
export type { Command, Requester } from '../mitigation/command.ts';

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
